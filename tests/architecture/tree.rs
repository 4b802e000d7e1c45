//! The files of `src/`, their modules, and which module a path leads to.

mod resolve;

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::{fs, io};

use syn::{Item, ItemMod};

use crate::names::{Path, Scope, attributes, is_test, path_attribute};
use crate::scan::{Facts, scan};

/// What a file of `src/` belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The library.
    Library,
    /// The unit tests of the library.
    Test,
    /// `build.rs`, which names the file with `#[path]`.
    Build,
    /// Nothing: no `mod` names the file.
    Unused,
}

/// A file of `src/`.
pub struct Source {
    pub text: String,
    pub ast: syn::File,
    pub kind: Kind,
    /// What the rules ask about. Empty if the file is not of the library.
    pub facts: Facts,
}

/// A module, in a file of its own or within its parent's.
struct Module {
    file: String,
    scope: Scope,
}

/// Where a path leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// To a module of the library, and to `rest` in it.
    Inside { module: Path, rest: Path },
    /// To another crate, whose name is the first part.
    Outside(Path),
}

/// All of `src/`.
#[derive(Default)]
pub struct Tree {
    /// By their paths relative to `src/`.
    pub files: BTreeMap<String, Source>,
    modules: BTreeMap<Path, Module>,
}

impl Tree {
    /// The tree of the package in `root`.
    pub fn read(root: &FilePath) -> io::Result<Self> {
        let mut texts = BTreeMap::new();

        read_directory(&root.join("src"), "", &mut texts)?;
        let build = fs::read_to_string(root.join("build.rs")).unwrap_or_default();

        Ok(Self::new(texts, &build))
    }

    /// The tree of these files, by their paths relative to `src/`; `build` is
    /// the text of `build.rs`.
    pub fn new(texts: BTreeMap<String, String>, build: &str) -> Self {
        let mut tree = Self::default();

        for (name, text) in texts {
            let ast = syn::parse_file(&text).unwrap_or_else(|err| {
                panic!("src/{name}:{}: {err}", err.span().start().line);
            });

            tree.files.insert(
                name,
                Source {
                    text,
                    ast,
                    kind: Kind::Unused,
                    facts: Facts::default(),
                },
            );
        }

        tree.mark_build_files(build);
        tree.add_file("lib.rs", Path::new(), Kind::Library, true);
        tree.scan_all();
        tree
    }

    /// The file that defines a module.
    pub fn file_of(&self, module: &Path) -> &str {
        &self.modules[module].file
    }

    /// The files of the library, without those that are unit tests.
    pub fn library(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.files
            .iter()
            .filter(|(_, source)| source.kind == Kind::Library)
            .map(|(name, source)| (name.as_str(), source))
    }

    fn mark_build_files(&mut self, build: &str) {
        let build = syn::parse_file(build).expect("build.rs is Rust");

        for item in &build.items {
            if let Some(path) = path_attribute(attributes(item))
                && let Some(name) = path.strip_prefix("src/")
                && let Some(source) = self.files.get_mut(name)
            {
                source.kind = Kind::Build;
            }
        }
    }

    /// Enters the module of a file, and the modules that it declares.
    /// `own_directory`: whether its children's files lie in its directory.
    fn add_file(&mut self, name: &str, module: Path, kind: Kind, own_directory: bool) {
        let Some(source) = self.files.get_mut(name) else {
            return;
        };

        source.kind = kind;

        let items = std::mem::take(&mut source.ast.items);
        let directory = match name.rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/"),
            None => String::new(),
        };
        let children = if own_directory {
            directory.clone()
        } else {
            format!("{}/", name.trim_end_matches(".rs"))
        };

        self.add_module(name, &module, &items, kind, [&directory, &children]);

        if let Some(source) = self.files.get_mut(name) {
            source.ast.items = items;
        }
    }

    /// `directories`: the file's, for `#[path]`, and that of its children.
    fn add_module(
        &mut self,
        file: &str,
        module: &Path,
        items: &[Item],
        kind: Kind,
        directories: [&str; 2],
    ) {
        if kind == Kind::Library {
            let scope = Scope::new(items.iter());
            let file = file.to_owned();

            self.modules.insert(module.clone(), Module { file, scope });
        }

        for item in items {
            if let Item::Mod(child) = item {
                self.add_child(file, module, child, kind, directories);
            }
        }

        if items.iter().any(is_include) {
            self.add_included(module, kind, directories[1]);
        }
    }

    /// Enters the modules that a file of `build.rs` declares, which
    /// `include!` names: all files of the directory that are no module yet.
    fn add_included(&mut self, parent: &Path, kind: Kind, directory: &str) {
        let unused: Vec<String> = self
            .files
            .iter()
            .filter(|(_, source)| source.kind == Kind::Unused)
            .filter_map(|(name, _)| name.strip_prefix(directory)?.strip_suffix(".rs"))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect();

        for name in unused {
            let file = format!("{directory}{name}.rs");

            self.add_file(&file, join(parent, &[name]), kind, false);
        }
    }

    fn add_child(
        &mut self,
        file: &str,
        parent: &Path,
        child: &ItemMod,
        kind: Kind,
        [directory, children]: [&str; 2],
    ) {
        let name = child.ident.to_string();
        let module = join(parent, std::slice::from_ref(&name));
        let kind = if is_test(&child.attrs) {
            Kind::Test
        } else {
            kind
        };

        if let Some((_, items)) = &child.content {
            let children = format!("{children}{name}/");

            self.add_module(file, &module, items, kind, [directory, &children]);
        } else if let Some(path) = path_attribute(&child.attrs) {
            self.add_file(&format!("{directory}{path}"), module, kind, true);
        } else {
            self.add_file(&format!("{children}{name}.rs"), module.clone(), kind, false);
            self.add_file(&format!("{children}{name}/mod.rs"), module, kind, true);
        }
    }

    fn scan_all(&mut self) {
        let modules: Vec<(Path, String)> = self
            .modules
            .iter()
            .map(|(path, module)| (path.clone(), module.file.clone()))
            .collect();
        let mut seen = Vec::new();

        // A file's own module comes before those that are within the file.
        for (module, file) in modules {
            if seen.contains(&file) {
                continue;
            }

            let facts = scan(self, &module, &self.files[&file].ast);

            if let Some(source) = self.files.get_mut(&file) {
                source.facts = facts;
            }
            seen.push(file);
        }
    }
}

fn is_include(item: &Item) -> bool {
    matches!(item, Item::Macro(call) if call.mac.path.is_ident("include"))
}

fn join(path: &Path, rest: &[String]) -> Path {
    [path, rest].concat()
}

/// Reads all Rust files below a directory. `prefix`: its path in `src/`.
fn read_directory(
    directory: &FilePath,
    prefix: &str,
    texts: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };

        if path.is_dir() {
            read_directory(&path, &format!("{prefix}{name}/"), texts)?;
        } else if name.ends_with(".rs") {
            texts.insert(format!("{prefix}{name}"), fs::read_to_string(&path)?);
        }
    }

    Ok(())
}
