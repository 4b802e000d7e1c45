//! Finds paths and `unsafe` in the arguments of a macro whose arguments are
//! neither expressions nor statements, and which are therefore searched token
//! by token.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::names::Path;
use crate::scan::Role;

/// Something that was found among the tokens of a macro.
pub enum Found {
    /// A path with several parts: its line, the path, and how it is used.
    Path(usize, Path, Role),
    /// The word `unsafe` in this line, except in the type of a function
    /// pointer.
    Unsafe(usize),
}

/// Returns all paths and each `unsafe` among the tokens, also within
/// parentheses and braces.
pub fn find(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();

    find_in(tokens, &mut found);
    found
}

/// Returns all identifiers among the tokens, also within parentheses and
/// braces.
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

/// Returns the path that begins with the token number `at`, and the number of
/// the token after the path.
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

/// How a path is used: as a call if parentheses follow it.
fn role(next: Option<&TokenTree>) -> Role {
    match next {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Role::Call,
        _ => Role::Other,
    }
}

/// Returns true if `fn (…)` or `extern "C" fn (…)` follows, which is the type
/// of a function pointer and not code.
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
