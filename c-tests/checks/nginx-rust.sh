#!/bin/sh

# nginx-rust.sh: a module that is written with the crate ngx catches a panic, in a
# stock nginx and in an nginx on the library.  The module is built in two ways: cc
# links the crate's static library, as for a module with parts in C, or cargo links
# the module.
#
# The programs are those of "make nginx".  cargo fetches the crate.

. "$(dirname "$0")/../harness/nginx.sh"

nginx=$top/build/nginx-1.28.3
target=$top/target/ngx

# compiles: builds the module; the crate ngx reads the structures from nginx's headers
compiles()
{
    NGINX_SOURCE_DIR=$nginx/src NGINX_BUILD_DIR=$nginx/ipc cargo build --release --locked \
        --manifest-path "$top/c-tests/fixtures/rust/ngx/Cargo.toml" --target-dir "$target"
}

links()
{
    cc -shared -o "$tmp/static.so" -Wl,--whole-archive "$target/release/libngx_rust_module.a" \
        -Wl,--no-whole-archive -lutil -lrt -lpthread -lm -ldl
}

ok "the module compiles" compiles
ok "its static library becomes a module" links
cp "$target/release/libngx_rust_module.so" "$tmp/cargo.so"

for program in stock ipc; do
    for module in static cargo; do
        ok "$program: a module, $module" \
            module_catches "$nginx/$program/nginx" "$tmp/$module.so"
    done
done

end
