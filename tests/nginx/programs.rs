//! The programs of the tests: nginx as it is, and nginx with the library.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::support::build::{root, run};

/// The program of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The stock nginx.
    Stock,
    /// The nginx that is built with the library.
    Ipc,
    /// A stock nginx that loads the library as a module, see [`Which::load_library`]. If
    /// `T_LOADED` is "release", it has no debug log. If it is "debian", it is the nginx of
    /// the Debian package that is installed.
    Loaded,
}

pub const BOTH: [Which; 2] = [Which::Stock, Which::Ipc];

/// The programs that can have messages.
pub const WITH_MESSAGES: [Which; 2] = [Which::Ipc, Which::Loaded];

impl Which {
    /// The path of the program.
    pub fn program(self) -> PathBuf {
        match self {
            Self::Stock => built("stock"),
            Self::Ipc => built("ipc"),
            Self::Loaded => match unmodified() {
                "debian" => DEBIAN.into(),
                "release" => built_variant_of("stock", "release"),
                _ => built("stock"),
            },
        }
    }

    /// The directory with the objects and modules of the program. Its directory
    /// `ngx_ipc/include` has the library's headers, if the program has messages.
    pub fn objects(self) -> PathBuf {
        let program = match self {
            Self::Loaded => match unmodified() {
                "debian" => built_for_debian(),
                "release" => built_variant_of("loaded", "release"),
                _ => built("loaded"),
            },
            _ => self.program(),
        };

        program.parent().expect("a directory").into()
    }

    /// The directory with the sources of the program.
    pub fn sources(self) -> PathBuf {
        if self == Self::Loaded && unmodified() == "debian" {
            DEBIAN_SOURCES.into()
        } else {
            root().join(version().1).join("src")
        }
    }

    /// The directive that loads the library, which a linked nginx does not need.
    pub fn load_library(self) -> String {
        match self {
            Self::Loaded => self.load("ngx_ipc_module"),
            _ => String::new(),
        }
    }

    /// The directive that loads the directives `ipc_publish` and `ipc_receive`.
    pub fn load_http(self) -> String {
        match self {
            Self::Loaded => self.load_library(),
            _ => self.load("ngx_http_ipc_module"),
        }
    }

    /// The path of a dynamic module of this program.
    pub fn module(self, name: &str) -> PathBuf {
        self.objects().join(name).with_extension("so")
    }

    fn load(self, module: &str) -> String {
        format!("load_module {};", self.module(module).display())
    }
}

/// The nginx of the Debian package.
const DEBIAN: &str = "/usr/sbin/nginx";
/// Its sources and options, of the package `nginx-dev`.
const DEBIAN_SOURCES: &str = "/usr/share/nginx/src";

/// Which unmodified nginx loads the library: `T_LOADED`.
fn unmodified() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();

    NAME.get_or_init(|| env::var("T_LOADED").unwrap_or_default())
}

/// Builds the module for Debian's nginx, as its manual says. Returns a path in the
/// directory of the module.
fn built_for_debian() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();

    BUILT
        .get_or_init(|| {
            let objects = root().join("build/nginx-debian");

            run(Command::new("bash")
                .current_dir(DEBIAN_SOURCES)
                .arg("-c")
                .arg(
                    "set -e; source ./conf_flags; \
                     ./configure --builddir=\"$1\" \"${NGX_CONF_FLAGS[@]}\" \
                         --add-dynamic-module=\"$2/nginx/messages\"; \
                     make -f \"$1/Makefile\" modules",
                )
                .arg("bash")
                .args([&objects, root()]));

            objects.join("nginx")
        })
        .clone()
}

/// The version of nginx and the directory of its programs, as in the Makefile.
/// If `T_VERSION` is "bookworm", the version is that of Debian 12. If it is a
/// directory, its directory `src` has the sources.
pub fn version() -> (&'static str, String) {
    match env::var("T_VERSION").as_deref() {
        Ok("bookworm") => ("bookworm", "build/nginx-1.22.1".into()),
        Ok(other) if root().join(other).join("src").is_dir() && !other.is_empty() => {
            ("", other.into())
        }
        Ok(other) if !other.is_empty() => panic!("no T_VERSION={other}"),
        _ => ("1.28.3", "build/nginx-1.28.3".into()),
    }
}

/// The path of a program of `make nginx`, which is built first. `which` is
/// "stock", or "ipc" for the one that is built with the library, or
/// "loaded" for the directory of the modules that the stock one loads.
///
/// If `T_NGINX` names a variant, such as "asan", "ipc" is the program of this
/// variant.
pub fn built(which: &str) -> PathBuf {
    match env::var("T_NGINX") {
        Ok(variant) if which == "ipc" && !variant.is_empty() => built_variant(&variant),
        _ => built_usual(which),
    }
}

/// The path of a program of `make nginx`, which is built first, whatever
/// `T_NGINX` is.
pub fn built_usual(which: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();

    BUILT.get_or_init(|| build(&[]));
    program(which)
}

/// The path of a variant of the program with the library, which is built first.
/// c-tests/run/nginx-build.sh lists the variants.
pub fn built_variant(variant: &str) -> PathBuf {
    built_variant_of("ipc", variant)
}

fn built_variant_of(which: &str, variant: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);

    if built.insert(variant.to_string()) {
        build(&[variant]);
    }

    program(&format!("{which}-{variant}"))
}

fn program(name: &str) -> PathBuf {
    root().join(version().1).join(name).join("nginx")
}

fn build(variant: &[&str]) {
    let (version, dir) = version();

    run(Command::new("sh")
        .current_dir(root())
        .args(["c-tests/run/nginx-build.sh", version, &dir])
        .args(variant));
}
