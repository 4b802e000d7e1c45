//! Rule: a SAFETY comment says what makes the block sound at this place.

use super::Violation;
use crate::tree::Tree;

/// Phrases that refer the reader to another comment, in lower case. "the same."
/// and "the same as above" do so; "the same struct" does not.
const ELSEWHERE: &[&str] = &[
    "promised by the caller",
    "the same.",
    "the same,",
    "the same;",
    "the same:",
    "the same as",
    "the same reason",
    "as there",
    "as stated",
];

/// Checks the SAFETY comments of each file.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();

    for (file, source) in &tree.files {
        for (line, comment) in comments(&source.text) {
            let lower = comment.to_lowercase() + ".";

            if let Some(words) = ELSEWHERE.iter().find(|words| has(&lower, words)) {
                let what = format!("says \"{words}\": {comment}");

                found.push(Violation::new(file, line, what));
            }
        }
    }

    found
}

/// The SAFETY comments of a text, each as one line, with the number of its
/// first line.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;

    for (number, line) in text.lines().enumerate() {
        let comment = line.find("//").map(|at| line[at + 2..].trim());
        let is_whole = line.trim_start().starts_with("//");

        match comment {
            Some(words) if words.starts_with("SAFETY:") => {
                found.push((number + 1, words.to_owned()));
                is_open = true;
            }
            Some(words) if is_open && is_whole => {
                if let Some((_, comment)) = found.last_mut() {
                    comment.push(' ');
                    comment.push_str(words);
                }
            }
            _ => is_open = false,
        }
    }

    found
}

/// Returns true if a text contains these words as whole words.
fn has(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let is_word = |end: Option<char>, letter: Option<char>| {
            end.is_some_and(char::is_alphanumeric) && letter.is_some_and(char::is_alphanumeric)
        };

        !is_word(found.chars().next(), before) && !is_word(found.chars().last(), after)
    })
}
