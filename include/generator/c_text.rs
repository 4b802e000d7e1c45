//! Part of build.rs: parses the headers of this project, generated or written
//! by hand. It understands only the parts of C that these headers use.

/// The statements and inline functions of a header at file scope, without
/// comments, preprocessor lines and line breaks.
pub fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    let mut depth = 0_usize;

    for line in code_lines(text) {
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                // This brace closes `extern "C" {`, a line that `code_lines`
                // has removed.
                '}' if depth == 0 => continue,
                '}' => {
                    depth -= 1;

                    // No semicolon follows the body of an inline function.
                    if depth == 0 && statement.trim_start().starts_with("static ") {
                        statements.push(std::mem::take(&mut statement).trim().to_owned() + "}");
                        continue;
                    }
                }
                ';' if depth == 0 => {
                    statements.push(std::mem::take(&mut statement).trim().to_owned());
                    continue;
                }
                _ => {}
            }

            statement.push(c);
        }

        statement.push(' ');
    }

    statements
}

/// The lines of a header without comments and preprocessor lines.
fn code_lines(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut lines = Vec::new();
    let mut directive = false;

    for line in text.lines() {
        directive = directive || line.starts_with('#');

        if !directive && line != "extern \"C\" {" {
            lines.push(line.to_owned());
        }

        directive = directive && line.ends_with('\\');
    }

    lines
}

/// Replaces each comment in a text with a space.
pub fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;

    while let Some((before, comment)) = rest.split_once("/*") {
        code += before;
        code.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }

    code + rest
}

/// The last identifier of a piece of C.
pub fn last_identifier(text: &str) -> &str {
    let text = text.trim_end();
    let start = text
        .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);

    &text[start..]
}

/// The name of the type that a statement defines or declares.
pub fn type_name(statement: &str) -> Option<&str> {
    if let Some(rest) = statement.strip_prefix("typedef ") {
        return Some(match rest.split_once("(*") {
            Some((_, pointer)) if !rest.contains('{') => {
                last_identifier(pointer.split(')').next()?)
            }
            _ => last_identifier(rest),
        });
    }

    let (head, _) = statement.split_once('{')?;

    head.starts_with("struct ").then(|| last_identifier(head))
}

/// The name of the function or variable that a statement declares.
#[cfg(feature = "standalone")]
pub fn symbol_name(statement: &str) -> Option<&str> {
    if statement.contains('{') || statement.starts_with("typedef ") {
        return None;
    }

    match statement.strip_prefix("extern ") {
        Some(variable) => Some(last_identifier(variable.split('[').next()?)),
        None => Some(last_identifier(statement.split_once('(')?.0)),
    }
}
