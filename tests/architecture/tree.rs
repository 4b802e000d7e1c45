//! The files of `src/`, the modules in them, and the module that a path leads
//! to.

mod resolve;

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::{fs, io};

use syn::{Item, ItemMod};

use crate::names::{Path, Scope, attributes, is_test, path_attribute};
use crate::scan::{Facts, scan};

/// What a file of `src/` is compiled into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The library.
    Library,
    /// Unit tests of the library.
    Test,
    /// `build.rs`, which names the file in an attribute `#[path]`.
    Build,
    /// A program of its own, in `src/bin/`.
    Program,
    /// Nothing, because no `mod` declaration names the file.
    Unused,
}

/// A file of `src/`.
pub struct Source {
    pub text: String,
    pub ast: syn::File,
    pub kind: Kind,
    /// The facts that the rules check. There are none if the file is not part
    /// of the library.
    pub facts: Facts,
}

/// A module, which is a file, or a part of its parent's file.
struct Module {
    file: String,
    scope: Scope,
}

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A module of the library. `rest` are the parts of the path that name
    /// something in this module.
    Inside { module: Path, rest: Path },
    /// Something in another crate. The first part of the path is the name of
    /// the crate.
    Outside(Path),
}

/// All files and modules of `src/`.
#[derive(Default)]
pub struct Tree {
    /// The files, by their paths relative to `src/`.
    pub files: BTreeMap<String, Source>,
    modules: BTreeMap<Path, Module>,
}

impl Tree {
    /// Reads the tree of the package in the directory `root`.
    pub fn read(root: &FilePath) -> io::Result<Self> {
        let mut texts = BTreeMap::new();

        read_directory(&root.join("src"), "", &mut texts)?;
        let build = fs::read_to_string(root.join("build.rs")).unwrap_or_default();

        Ok(Self::new(texts, &build))
    }

    /// Builds a tree from the texts of files, whose names are paths relative to
    /// `src/`. `build` is the text of `build.rs`.
    pub fn new(texts: BTreeMap<String, String>, build: &str) -> Self {
        let mut tree = Self::default();

        for (name, text) in texts {
            let ast = syn::parse_file(&text).unwrap_or_else(|err| {
                panic!("src/{name}:{}: {err}", err.span().start().line);
            });

            let kind = if name.starts_with("bin/") {
                Kind::Program
            } else {
                Kind::Unused
            };

            tree.files.insert(
                name,
                Source {
                    text,
                    ast,
                    kind,
                    facts: Facts::default(),
                },
            );
        }

        tree.mark_build_files(build);
        tree.add_file("lib.rs", Path::new(), Kind::Library, true);
        tree.scan_all();
        tree
    }

    /// The path of the file that contains a module.
    pub fn file_of(&self, module: &Path) -> &str {
        &self.modules[module].file
    }

    /// The files of the library, without the unit tests.
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

    /// Adds the module of a file, and the modules that the file declares. If
    /// `own_directory` is true, the files of these modules are in the directory
    /// of the file; if not, they are in a directory with the file's name.
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

    /// Adds a module, and the modules that it declares. `directories` are the
    /// directory of the file, to which `#[path]` is relative, and the directory
    /// for the files of the declared modules.
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

    /// Adds modules that a file written by `build.rs` declares. The parent
    /// contains only an `include!` of this file, so all files of the directory
    /// that belong to no module yet are added.
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

        // The list contains the module that a file consists of before the
        // modules within this file.
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

/// Reads all Rust files of a directory and its subdirectories. `prefix` is the
/// path of the directory in `src/`.
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
