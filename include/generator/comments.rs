//! Part of build.rs: rewrites the comments that cbindgen has generated in the
//! style of nginx.

use std::fmt::Write as _;

/// Rewrites all comments of a header: cbindgen has `/*`, text and `*/` on
/// separate lines, nginx has ` * ` before each line of text. A heading such as
/// `# Safety` becomes "Safety:".
pub fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    let mut comment: Option<Vec<&str>> = None;

    for line in text.lines() {
        match (&mut comment, line.trim()) {
            (None, "/*") => comment = Some(Vec::new()),
            (None, _) => {
                tidy += line;
                tidy.push('\n');
            }
            (Some(lines), "*/") => {
                let indent = " ".repeat(line.len() - line.trim_start().len() - 1);

                tidy += &render_comment(&indent, lines);
                comment = None;
            }
            (Some(lines), words) => lines.push(words),
        }
    }

    tidy
}

fn render_comment(indent: &str, lines: &[&str]) -> String {
    if let [line] = lines {
        return format!("{indent}/* {} */\n", line.replace('`', ""));
    }

    let mut text = format!("{indent}/*\n");
    let mut heading = "";

    for line in lines {
        match (line.strip_prefix("# "), line.is_empty()) {
            (Some(title), _) => heading = title,
            (None, true) if !heading.is_empty() => {}
            (None, true) => {
                let _ = writeln!(text, "{indent} *");
            }
            (None, false) => {
                let words = line.replace('`', "");
                let _ = match heading {
                    "" => writeln!(text, "{indent} * {words}"),
                    _ => writeln!(text, "{indent} * {heading}: {words}"),
                };
                heading = "";
            }
        }
    }

    text + indent + " */\n"
}
