//! The two classes of lanes and messages.

/// The kind of a lane. Each pair of sender and receiver has one lane of each
/// class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Messages that overtake those of class `Data`.
    Control,
    /// Other messages.
    Data,
}

impl Class {
    /// Both classes, in the order in which a receiver looks at them.
    pub const ALL: [Self; 2] = [Self::Control, Self::Data];

    /// Whether this is `Control`.
    pub fn is_control(self) -> bool {
        self == Self::Control
    }

    /// What belongs to this class of the two values, in the order of [`Class::ALL`].
    #[inline]
    pub fn of<T>(self, [control, data]: &[T; 2]) -> &T {
        match self {
            Self::Control => control,
            Self::Data => data,
        }
    }

    /// What belongs to this class of the two values, in the order of [`Class::ALL`].
    #[inline]
    pub fn of_mut<T>(self, [control, data]: &mut [T; 2]) -> &mut T {
        match self {
            Self::Control => control,
            Self::Data => data,
        }
    }

    /// The other class.
    pub fn other(self) -> Self {
        match self {
            Self::Control => Self::Data,
            Self::Data => Self::Control,
        }
    }
}
