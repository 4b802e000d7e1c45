//! Computes dates for log lines. The functions of the C library for dates are
//! not async-signal-safe, and signal handlers write log lines, which begin with
//! the date.

/// A date and time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// The length of the text of [`Date::err_log`].
pub const ERR_LOG_LEN: usize = "1970/09/28 12:00:00".len();

impl Date {
    /// The date at `sec` seconds since 1970-01-01 00:00:00.
    ///
    /// In this computation a year begins on the 1st of March, so that a leap
    /// day is the last day of a year. The month `m`, where March is 0, then
    /// begins (153 m + 2) / 5 days after the year.
    pub fn new(sec: i64) -> Self {
        const DAY: i64 = 86_400;
        const DAYS_OF_400_YEARS: i64 = 146_097;
        /// The number of days from 0000-03-01 to 1970-01-01.
        const EPOCH: i64 = 719_468;

        let days = sec.div_euclid(DAY) + EPOCH;
        let rest = sec.rem_euclid(DAY);

        let era = days.div_euclid(DAYS_OF_400_YEARS);
        let day_of_era = days.rem_euclid(DAYS_OF_400_YEARS);
        let year =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;

        Self {
            year: year + era * 400 + i64::from(month >= 10),
            month: if month < 10 { month + 3 } else { month - 9 },
            day: day_of_year - (153 * month + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// The text for the error log, `1970/09/28 12:00:00`.
    pub fn err_log(&self) -> [u8; ERR_LOG_LEN] {
        let mut text = *b"0000/00/00 00:00:00";
        let mut put = |at: usize, digits: usize, mut value: i64| {
            for digit in text.iter_mut().skip(at).take(digits).rev() {
                *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
                value /= 10;
            }
        };

        put(0, 4, self.year);
        put(5, 2, self.month);
        put(8, 2, self.day);
        put(11, 2, self.hour);
        put(14, 2, self.minute);
        put(17, 2, self.second);

        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sec: i64) -> String {
        String::from_utf8(Date::new(sec).err_log().to_vec()).unwrap()
    }

    /// The expected texts are the output of `date -u -d @SEC '+%Y/%m/%d
    /// %H:%M:%S'`.
    #[test]
    fn dates() {
        assert_eq!(text(0), "1970/01/01 00:00:00");
        assert_eq!(text(951_782_399), "2000/02/28 23:59:59");
        assert_eq!(text(951_782_400), "2000/02/29 00:00:00");
        assert_eq!(text(951_868_800), "2000/03/01 00:00:00");
        assert_eq!(text(1_735_689_599), "2024/12/31 23:59:59");
        assert_eq!(text(4_107_542_400), "2100/03/01 00:00:00");
    }
}
