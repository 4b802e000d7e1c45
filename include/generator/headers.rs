//! Part of build.rs: generates the headers. cbindgen writes the declarations
//! from the Rust sources. Bit-fields, macros and variables, which cbindgen
//! cannot write, are taken from `include/generator/NAME.h`, which is written by
//! hand.

#[path = "comments.rs"]
mod comments;
#[path = "table.rs"]
mod table;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use table::{HEADERS, Header};

use super::probe::Features;
use super::{Result, c_text};

/// The Rust file with the structures of several headers. A structure is
/// declared in the header whose `types` has its name.
const TYPES: &str = "src/host/standalone/types.rs";

/// The headers that declare types by hand. cbindgen must not declare these
/// types a second time.
const BY_HAND: [&str; 2] = ["include/ngx_core.h", "include/generator/process.h"];

/// Writes all headers to the directory `include`.
pub fn write_all(features: &Features, include: &Path) -> Result {
    if include.exists() {
        fs::remove_dir_all(include)?;
    }

    fs::create_dir_all(include)?;
    fs::write(include.join("ngx_auto_config.h"), auto_config(features))?;
    copy_by_hand(include)?;

    for header in HEADERS {
        let name = format!("ngx_{}.h", header.name);

        fs::write(include.join(name), header.render()?)?;
    }

    Ok(())
}

/// Copies the headers that are written completely by hand.
fn copy_by_hand(include: &Path) -> Result {
    for entry in fs::read_dir("include")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();

        if name.ends_with(".h")
            && !HEADERS
                .iter()
                .any(|header| *name == format!("ngx_{}.h", header.name))
        {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::copy(&path, include.join(&*name))?;
        }
    }

    Ok(())
}

/// Makes the text of `ngx_auto_config.h`: a macro for each probe, which is 0 or
/// 1 unless the program has defined the macro before.
fn auto_config(features: &Features) -> String {
    let pointer = env::var("CARGO_CFG_TARGET_POINTER_WIDTH").unwrap_or_default();
    let little = env::var("CARGO_CFG_TARGET_ENDIAN").is_ok_and(|endian| endian == "little");

    let mut text = String::from("/* Made by build.rs of what probes/ found. */\n");
    let mut define = |name: &str, value: usize| {
        let _ = write!(text, "\n#ifndef {name}\n#define {name}  {value}\n#endif\n");
    };

    for (name, have) in features.iter() {
        define(name, have.into());
    }

    define("NGX_HAVE_LITTLE_ENDIAN", little.into());
    define("NGX_PTR_SIZE", pointer.parse().unwrap_or(64) / 8);

    text
}

impl Header {
    fn render(&self) -> Result<String> {
        let Self { name, title, .. } = self;
        let guard = format!("_NGX_{}_H_INCLUDED_", name.to_uppercase());
        let sources = self
            .sources()?
            .iter()
            .fold(String::new(), |list, source| list + " *   " + source + "\n");

        let mut text = format!(
            "/*\n * ngx_{name}.h: {title}.\n * Part of ngx-ipc; the names are nginx's.\n *\n \
             * Generated: edit these sources, then run \"make headers\".\n *\n\
             {sources} */\n\n"
        );
        let mut includes = String::new();

        for include in self.includes {
            writeln!(includes, "#include <{include}>")?;
        }

        if self.complete {
            write!(text, "{includes}\n#ifndef {guard}\n#define {guard}\n\n")?;
        } else {
            write!(text, "#ifndef {guard}\n#define {guard}\n\n\n{includes}")?;
        }

        write!(text, "\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\n")?;

        let mut parts = vec![self.declarations()?];

        if let Some(by_hand) = self.by_hand() {
            let at = if self.needs_by_hand { 0 } else { 1 };

            parts.insert(at, fs::read_to_string(by_hand)?);
        }

        text += &parts
            .iter()
            .map(|part| part.trim())
            .collect::<Vec<_>>()
            .join("\n\n\n");

        write!(
            text,
            "\n\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {guard} */\n"
        )?;

        Ok(text)
    }

    /// The names of all files from which the header is generated.
    fn sources(&self) -> Result<Vec<String>> {
        let mut sources = self.rust();

        if declared_in(TYPES)?
            .iter()
            .any(|name| self.types.contains(&name.as_str()))
        {
            sources.push(TYPES.to_owned());
        }

        sources.extend(self.by_hand());

        Ok(sources)
    }

    /// The names of the Rust files from which the header is generated.
    fn rust(&self) -> Vec<String> {
        let name = self.name;

        [
            format!("src/abi/{name}.rs"),
            format!("src/host/standalone/{name}.rs"),
        ]
        .into_iter()
        .filter(|path| Path::new(path).exists())
        .take(1)
        .chain(self.and.iter().map(|&source| source.to_owned()))
        .collect()
    }

    /// The text of the header that is written by hand, if there is any.
    fn by_hand(&self) -> Option<String> {
        let path = format!("include/generator/{}.h", self.name);

        Path::new(&path).exists().then_some(path)
    }

    /// The declarations that cbindgen generates from the Rust files.
    fn declarations(&self) -> Result<String> {
        let mut builder = cbindgen::Builder::new().with_config(self.config()?);

        for source in self.rust().iter().map(String::as_str).chain([TYPES]) {
            println!("cargo::rerun-if-changed={source}");
            builder = builder.with_src(source);
        }

        let mut text = Vec::new();

        builder.generate()?.write(&mut text);

        Ok(comments::tidy(&String::from_utf8(text)?))
    }

    fn config(&self) -> Result<cbindgen::Config> {
        let mut config = cbindgen::Config {
            language: cbindgen::Language::C,
            style: if self.tagged {
                cbindgen::Style::Tag
            } else {
                cbindgen::Style::Type
            },
            no_includes: true,
            usize_is_size_t: true,
            tab_width: 4,
            line_length: 79,
            documentation_style: cbindgen::DocumentationStyle::C,
            ..Default::default()
        };

        config.export.include = self.types.iter().map(|&name| name.into()).collect();
        config.export.exclude = self.excluded()?;
        // Without this entry cbindgen would write `long` for `libc::time_t`.
        config.export.rename = [
            ("time_t".into(), "time_t".into()),
            ("sockaddr".into(), "struct sockaddr".into()),
        ]
        .into();
        config.export.item_types = vec![
            cbindgen::ItemType::Constants,
            cbindgen::ItemType::Structs,
            cbindgen::ItemType::Typedefs,
            cbindgen::ItemType::Functions,
        ];

        Ok(config)
    }

    /// The names of items of the Rust files that this header must not declare.
    fn excluded(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self.exclude.iter().map(|&name| name.into()).collect();

        for path in BY_HAND.map(str::to_owned).into_iter().chain(self.by_hand()) {
            println!("cargo::rerun-if-changed={path}");

            for statement in c_text::statements(&fs::read_to_string(path)?) {
                names.extend(c_text::type_name(&statement).map(str::to_owned));
            }
        }

        // One Rust file can have some constants for ngx_ipc.h and others for a
        // header of nginx.
        for source in self.rust() {
            names.extend(
                declared_in(&source)?
                    .into_iter()
                    .filter(|name| name.starts_with("NGX_"))
                    .filter(|name| name.starts_with("NGX_IPC_") != self.name.starts_with("ipc")),
            );
        }

        names.extend(
            declared_in(TYPES)?
                .into_iter()
                .filter(|name| !self.types.contains(&name.as_str())),
        );

        Ok(names)
    }
}

/// The names of the types and constants that a Rust file declares.
fn declared_in(path: &str) -> Result<Vec<String>> {
    const KINDS: [&str; 4] = ["struct ", "type ", "enum ", "const "];

    let text = fs::read_to_string(path)?;
    let names = text.lines().filter_map(|line| {
        let item = match line.strip_prefix("pub(crate) ") {
            Some(item) => item,
            None => line.strip_prefix("pub ").unwrap_or(line),
        };
        let rest = KINDS.iter().find_map(|kind| item.strip_prefix(kind))?;
        let name = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();

        name.map(str::to_owned)
    });

    Ok(names.collect())
}
