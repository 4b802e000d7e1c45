//! Finds paths and `unsafe` in the tokens of a macro, for macros whose
//! arguments are neither expressions nor statements.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::names::Path;
use crate::scan::Role;

/// What stands in the tokens of a macro.
pub enum Found {
    /// A path of several parts, with its line.
    Path(usize, Path, Role),
    /// `unsafe` before anything but the type of a function pointer.
    Unsafe(usize),
}

/// All that is found, groups included.
pub fn find(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();

    find_in(tokens, &mut found);
    found
}

/// All identifiers, groups included.
pub fn names(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(name) => vec![name.to_string()],
            TokenTree::Group(group) => names(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

fn find_in(tokens: TokenStream, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;

    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => find_in(group.stream(), found),

            TokenTree::Ident(name) if name == "unsafe" => {
                if !is_pointer_type(&tokens[at + 1..]) {
                    found.push(Found::Unsafe(name.span().start().line));
                }
            }

            TokenTree::Ident(name) => {
                let line = name.span().start().line;
                let (path, end) = path_at(&tokens, at);

                if path.len() > 1 {
                    found.push(Found::Path(line, path, role(tokens.get(end))));
                }

                at = end;
                continue;
            }

            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }

        at += 1;
    }
}

/// The path that begins at a token, and the index after it.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Path, usize) {
    let mut path = Path::new();

    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        path.push(name.to_string());
        at += 1;

        let colons = tokens
            .get(at..at + 2)
            .is_some_and(|two| two.iter().all(is_colon));

        if !colons || !matches!(tokens.get(at + 2), Some(TokenTree::Ident(_))) {
            break;
        }

        at += 2;
    }

    (path, at)
}

/// A path before parentheses is called.
fn role(next: Option<&TokenTree>) -> Role {
    match next {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Role::Call,
        _ => Role::Other,
    }
}

/// Whether `fn (…)` or `extern "C" fn (…)` follows: a type, no code.
fn is_pointer_type(tokens: &[TokenTree]) -> bool {
    let function = tokens
        .iter()
        .take(3)
        .position(|token| matches!(token, TokenTree::Ident(name) if name == "fn"));

    function.is_some_and(|at| matches!(tokens.get(at + 1), Some(TokenTree::Group(_))))
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':')
}
