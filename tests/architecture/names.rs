//! The names that `use` declarations import into a scope, and the items that
//! exist only in tests.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item, Meta, UseTree};

/// The parts of a path, such as `["crate", "sys", "fd"]`. The first part is
/// empty if the path begins with `::`.
pub type Path = Vec<String>;

/// One path of a `use` declaration.
pub struct Import {
    /// The path, without braces, renames and `*`.
    pub path: Path,
    /// The name by which the scope knows the path; `None` if the path ends with
    /// `*` or is renamed to `_`.
    pub name: Option<String>,
    /// True if the path ends with `*`.
    pub glob: bool,
    /// The line of the last part of the path.
    pub line: usize,
}

/// Returns all paths of a `use` declaration.
pub fn imports(declaration: &syn::ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    let start = match declaration.leading_colon {
        Some(_) => vec![String::new()],
        None => Vec::new(),
    };

    collect(&declaration.tree, &start, &mut found);
    found
}

fn collect(tree: &UseTree, before: &Path, found: &mut Vec<Import>) {
    let mut leaf = |last: &syn::Ident, name: Option<String>| {
        let mut path = before.clone();

        if last != "self" || path.is_empty() {
            path.push(last.to_string());
        }

        let line = last.span().start().line;
        let name = match name.as_deref() {
            Some("self") => path.last().cloned(),
            Some("_") => None,
            _ => name,
        };

        found.push(Import {
            path,
            name,
            glob: false,
            line,
        });
    };

    match tree {
        UseTree::Name(name) => leaf(&name.ident, Some(name.ident.to_string())),
        UseTree::Rename(rename) => leaf(&rename.ident, Some(rename.rename.to_string())),
        UseTree::Glob(glob) => found.push(Import {
            path: before.clone(),
            name: None,
            glob: true,
            line: glob.star_token.spans[0].start().line,
        }),
        UseTree::Path(part) => {
            let mut path = before.clone();

            path.push(part.ident.to_string());
            collect(&part.tree, &path, found);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, before, found);
            }
        }
    }
}

/// The names of a module or of a block.
#[derive(Default)]
pub struct Scope {
    /// The names that `use` declarations import, each with the paths that it
    /// stands for. A name has two paths if two declarations with opposite
    /// `cfg`s import it.
    pub names: BTreeMap<String, Vec<Path>>,
    /// The paths of `use path::*`.
    pub globs: Vec<Path>,
    /// The names that the module or block itself declares.
    pub items: BTreeSet<String>,
}

impl Scope {
    /// The scope that consists of these items, without those that exist only in
    /// tests.
    pub fn new<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let mut scope = Self::default();

        for item in items.filter(|item| !is_test(attributes(item))) {
            if let Item::Use(declaration) = item {
                scope.import(declaration);
            } else if let Some(name) = declared(item) {
                scope.items.insert(name);
            }
        }

        scope
    }

    fn import(&mut self, declaration: &syn::ItemUse) {
        for import in imports(declaration) {
            if import.glob {
                self.globs.push(import.path);
            } else if let Some(name) = import.name {
                self.names.entry(name).or_default().push(import.path);
            }
        }
    }
}

/// The name that an item declares. The names of modules are left out, because
/// the tree of modules has them.
fn declared(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

/// The attributes of an item.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns true if the item exists only in tests: its attributes contain
/// `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => needs_test(list.tokens.clone()),
        _ => false,
    })
}

/// Returns true if the predicate of a `cfg` is false in a build without `test`.
fn needs_test(predicate: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = predicate.into_iter().collect();

    match &tokens[..] {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(all), TokenTree::Group(list)] if all == "all" => {
            parts(list.stream()).any(needs_test)
        }
        [TokenTree::Ident(any), TokenTree::Group(list)] if any == "any" => {
            parts(list.stream()).all(needs_test)
        }
        _ => false,
    }
}

/// Splits a list of tokens at its commas.
fn parts(list: TokenStream) -> impl Iterator<Item = TokenStream> {
    let tokens: Vec<TokenTree> = list.into_iter().collect();
    let parts: Vec<TokenStream> = tokens
        .split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','))
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().cloned().collect())
        .collect();

    parts.into_iter()
}

/// The value of the attribute `#[path = "…"]`.
pub fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}
