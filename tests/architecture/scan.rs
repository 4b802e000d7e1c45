//! Collects from the syntax tree of a file the facts that the rules check.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, Item, Stmt, Token};

use crate::names::{Path, Scope, attributes, imports, is_test};
use crate::tokens::{self, Found};
use crate::tree::{Target, Tree};

/// How a file uses a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// In a `use` declaration, which imports it.
    Use,
    /// In a declaration `use path::*`.
    Glob,
    /// As a function that is called.
    Call,
    /// As a value, for instance a constant or a pointer to a function.
    Value,
    /// As a type, trait, pattern or macro; or among the tokens of a macro, if
    /// they do not show how the path is used.
    Other,
}

/// A place in a file where a path is written.
pub struct Mention {
    pub line: usize,
    /// The path, as it is written.
    pub path: Path,
    pub role: Role,
    pub targets: Vec<Target>,
}

/// A line of a file, and what was found there.
pub struct Place {
    pub line: usize,
    pub what: String,
}

/// The facts about a file that the rules check.
#[derive(Default)]
pub struct Facts {
    pub mentions: Vec<Mention>,
    /// Each `unsafe` block, function, trait, implementation and attribute.
    pub unsafe_code: Vec<Place>,
    /// Each call of a macro.
    pub macros: Vec<Place>,
    /// Each `for`, `while` and `loop`.
    pub loops: Vec<Place>,
    /// Each `match` with more than two arms, except in the values of constants.
    pub matches: Vec<Place>,
    /// Each call of a method without arguments.
    pub bare_methods: Vec<Place>,
}

/// Collects the facts about a file, which contains the module `module`.
pub fn scan(tree: &Tree, module: &Path, file: &syn::File) -> Facts {
    let mut scanner = Scanner {
        tree,
        module: module.clone(),
        blocks: Vec::new(),
        constants: 0,
        facts: Facts::default(),
    };

    scanner.visit_file(file);
    scanner.facts
}

struct Scanner<'a> {
    tree: &'a Tree,
    module: Path,
    /// The scopes of the blocks around the current place, the innermost last.
    blocks: Vec<Scope>,
    /// The number of constants and macros around the current place.
    constants: usize,
    facts: Facts,
}

impl Scanner<'_> {
    fn mention(&mut self, line: usize, path: Path, role: Role) {
        // The `use` declaration of a name is a mention already. A name without
        // `::` is a second mention only if it is a function or constant of
        // another crate, because some rules forbid its use.
        let alone = path.len() == 1 && !matches!(role, Role::Use | Role::Glob);

        if path.is_empty() || alone && matches!(path[0].as_str(), "self" | "super" | "crate") {
            return;
        }

        let mut targets = self.tree.resolve(&self.module, &self.blocks, &path);

        if alone {
            targets.retain(|target| matches!(target, Target::Outside(path) if path.len() > 1));
        }

        if !targets.is_empty() {
            self.facts.mentions.push(Mention {
                line,
                path,
                role,
                targets,
            });
        }
    }

    fn mention_path(&mut self, path: &syn::Path, role: Role) {
        let mut parts: Path = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();

        if path.leading_colon.is_some() {
            parts.insert(0, String::new());
        }

        if let Some(first) = path.segments.first() {
            self.mention(line_of(first.ident.span()), parts, role);
        }

        // The generic arguments of a path contain paths too.
        for part in &path.segments {
            self.visit_path_arguments(&part.arguments);
        }
    }

    fn mention_value(&mut self, value: &syn::ExprPath, role: Role) {
        if let Some(of) = &value.qself {
            self.visit_type(&of.ty);
        }

        self.mention_path(&value.path, role);
    }

    fn unsafe_code(&mut self, span: Span, what: &str) {
        self.facts.unsafe_code.push(place(span, what));
    }

    fn found_in_tokens(&mut self, found: Vec<Found>) {
        for found in found {
            match found {
                Found::Path(line, path, role) => self.mention(line, path, role),
                Found::Unsafe(line) => self.facts.unsafe_code.push(Place {
                    line,
                    what: "unsafe code in a macro".to_owned(),
                }),
            }
        }
    }

    fn in_constant(&mut self, scan: impl FnOnce(&mut Self)) {
        self.constants += 1;
        scan(self);
        self.constants -= 1;
    }
}

impl<'ast> Visit<'ast> for Scanner<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let outer = std::mem::take(&mut self.blocks);

        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.blocks = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for import in imports(item) {
            let role = if import.glob { Role::Glob } else { Role::Use };

            self.mention(import.line, import.path, role);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.in_constant(|scanner| visit::visit_item_const(scanner, item));
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[Attribute] = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            _ => &[],
        };

        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.in_constant(|scanner| visit::visit_impl_item_const(scanner, item));
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });

        self.blocks.push(Scope::new(items));
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention_path(path, Role::Other);
    }

    fn visit_expr_path(&mut self, value: &'ast syn::ExprPath) {
        self.mention_value(value, Role::Value);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        match &*call.func {
            Expr::Path(function) => self.mention_value(function, Role::Call),
            function => self.visit_expr(function),
        }

        for argument in &call.args {
            self.visit_expr(argument);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.args.is_empty() {
            let method = place(call.method.span(), &call.method.to_string());

            self.facts.bare_methods.push(method);
        }

        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.mention_path(&call.path, Role::Other);

        if let Some(name) = call.path.segments.last() {
            let called = place(name.ident.span(), &name.ident.to_string());

            self.facts.macros.push(called);
        }

        let list = Punctuated::<Expr, Token![,]>::parse_terminated;

        if let Ok(arguments) = call.parse_body_with(list) {
            self.in_constant(|scanner| {
                for argument in &arguments {
                    scanner.visit_expr(argument);
                }
            });
        } else if let Ok(statements) = call.parse_body_with(Block::parse_within) {
            self.in_constant(|scanner| {
                for statement in &statements {
                    scanner.visit_stmt(statement);
                }
            });
        } else {
            self.found_in_tokens(tokens::find(call.tokens.clone()));
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.unsafe_code(block.unsafe_token.span, "an unsafe block");
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(token) = &signature.unsafety {
            self.unsafe_code(token.span, "an unsafe function");
        }

        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(token) = &item.unsafety {
            self.unsafe_code(token.span, "an unsafe implementation");
        }

        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if let Some(token) = &item.unsafety {
            self.unsafe_code(token.span, "an unsafe trait");
        }

        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.unsafe_code(item.abi.extern_token.span, "foreign functions");
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Some(what) = unsafe_attribute(attribute) {
            self.unsafe_code(attribute.pound_token.span, what);
        }
    }

    /// The path in `pub(in path)` is no import, so it is not visited.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
        self.facts
            .loops
            .push(place(item.for_token.span, "a for loop"));
        visit::visit_expr_for_loop(self, item);
    }

    fn visit_expr_while(&mut self, item: &'ast syn::ExprWhile) {
        self.facts
            .loops
            .push(place(item.while_token.span, "a while loop"));
        visit::visit_expr_while(self, item);
    }

    fn visit_expr_loop(&mut self, item: &'ast syn::ExprLoop) {
        self.facts.loops.push(place(item.loop_token.span, "a loop"));
        visit::visit_expr_loop(self, item);
    }

    fn visit_expr_match(&mut self, item: &'ast syn::ExprMatch) {
        let arms = item.arms.len();

        if arms > 2 && self.constants == 0 {
            let what = format!("a match with {arms} arms");

            self.facts.matches.push(place(item.match_token.span, &what));
        }

        visit::visit_expr_match(self, item);
    }
}

/// Finds the attributes `allow(unsafe_code)`, also within `cfg_attr`, and
/// `unsafe(no_mangle)`.
fn unsafe_attribute(attribute: &Attribute) -> Option<&'static str> {
    let syn::Meta::List(list) = &attribute.meta else {
        return None;
    };
    let names = tokens::names(list.tokens.clone());
    let has = |name: &str| names.iter().any(|found| found == name);
    let is = |name: &str| list.path.is_ident(name);

    if has("unsafe_code")
        && (is("allow") || is("expect") || is("warn") || is("cfg_attr") && !has("deny"))
    {
        Some("allow(unsafe_code)")
    } else if is("unsafe") || is("cfg_attr") && has("unsafe") {
        Some("an unsafe attribute")
    } else {
        None
    }
}

fn line_of(span: Span) -> usize {
    span.start().line
}

fn place(span: Span, what: &str) -> Place {
    Place {
        line: line_of(span),
        what: what.to_owned(),
    }
}
