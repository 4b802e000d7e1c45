//! Draws a chart for each subject that was measured for several numbers N.

use std::path::{Path, PathBuf};

use plotters::prelude::*;

use crate::rows::{PEERS, Peer, Row};

const SIZE: (u32, u32) = (640, 400);

fn colour(peer: Peer) -> RGBColor {
    match peer {
        Peer::Nginx => RGBColor(0xd6, 0x27, 0x28),
        Peer::Library => RGBColor(0x1f, 0x77, 0xb4),
        Peer::Floor => RGBColor(0x7f, 0x7f, 0x7f),
    }
}

/// Draws `SUBJECT.svg` in `directory` for each subject that was measured for
/// more than one N; returns the paths of the files.
pub fn draw(rows: &[Row], directory: &Path) -> Vec<PathBuf> {
    [
        (
            "mesh",
            "time to connect N processes with each other",
            "processes",
        ),
        (
            "execute",
            "time to run /bin/true from a master of N MiB",
            "MiB",
        ),
    ]
    .into_iter()
    .filter_map(|(subject, title, unit)| {
        let rows: Vec<&Row> = rows
            .iter()
            .filter(|row| row.subject == subject && row.n.is_some())
            .collect();
        let path = directory.join(format!("{subject}.svg"));

        (rows.len() > 1).then(|| {
            draw_one(&rows, &path, title, unit).expect("a chart");
            path
        })
    })
    .collect()
}

/// The points of a peer in a chart: N, and the time in milliseconds.
fn points(rows: &[&Row], peer: Peer) -> Vec<(f64, f64)> {
    rows.iter()
        .filter_map(|row| Some((row.n? as f64, row.median(peer)? / 1e6)))
        .collect()
}

fn bounds(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });

    low / 1.3..high * 1.3
}

fn draw_one(
    rows: &[&Row],
    path: &Path,
    title: &str,
    unit: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let all: Vec<(f64, f64)> = PEERS.iter().flat_map(|&peer| points(rows, peer)).collect();
    let area = SVGBackend::new(path, SIZE).into_drawing_area();

    area.fill(&WHITE)?;

    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(
            bounds(all.iter().map(|point| point.0)).log_scale(),
            bounds(all.iter().map(|point| point.1)).log_scale(),
        )?;

    chart
        .configure_mesh()
        .x_desc(unit)
        .y_desc("ms")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()?;

    for peer in PEERS {
        let points = points(rows, peer);
        let colour = colour(peer);

        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(peer.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        chart.draw_series(
            points
                .into_iter()
                .map(|point| Circle::new(point, 3, colour.filled())),
        )?;
    }

    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;

    Ok(())
}
