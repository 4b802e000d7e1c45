#!/bin/sh

# cargo.sh: a crate outside of this tree depends on the library with "cargo add --path".
# It builds without make and without unsafe code, and its processes do their work.  A
# panic ends a process with the code 101, because the panics of this crate unwind.

. "$(dirname "$0")/../harness/tap.sh"

crate=$tmp/crate

# Cargo finds the crates in the lock file of the library, and downloads no others.
new_crate()
{
    mkdir -p "$crate/src" && cat > "$crate/Cargo.toml" <<TOML && cp "$top/Cargo.lock" "$crate"
[package]
name = "outside"
version = "0.1.0"
edition = "2024"

[lints.rust]
unsafe_code = "forbid"
TOML
    cat > "$crate/src/main.rs" <<'RUST'
use ngx_ipc::api::{Channel, Exit, Program};

fn main() -> std::io::Result<()> {
    let program = Program::init()?;
    let (ours, theirs) = Channel::<String>::pair()?;

    program.spawn(c"greeter", move |_| theirs.send(&"hello".to_string()))?;
    println!("{}", ours.recv()?);

    let panics = program.spawn(c"panics", |_| -> u8 { panic!("as it should") })?;

    program.wait()?;
    assert_eq!(panics.exit(), Some(Exit::Code(101)));
    println!("done");
    Ok(())
}
RUST
}

in_crate()
{
    (cd "$crate" && CARGO_TARGET_DIR="$top/build/cargo" "$@") > "$tmp/output" 2>&1 \
        || { cat "$tmp/output"; return 1; }
}

prints()
{
    in_crate cargo run --quiet || return 1
    grep -qx hello "$tmp/output" && grep -qx 'done' "$tmp/output" || { cat "$tmp/output"; return 1; }
}

ok "a crate is made" new_crate
ok "cargo add --path" in_crate cargo add --offline --path "$top"
ok "it builds without make" in_crate cargo build --quiet
ok "its processes work" prints

end
