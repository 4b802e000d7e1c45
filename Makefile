# ngx-ipc: nginx's process and IPC layer as a library.
#
# "make help" lists the targets.  Variables:
#
#   B=DIR                     where the results go, build/
#   NGX_HAVE_FEATURE=0 or 1   answers a probe; src/shmem/backends has the features
#                             that decide which shared memory is used
#   PREFIX, BINDIR, LIBDIR, INCLUDEDIR, MANDIR, LUADIR, DESTDIR, CC, CFLAGS, LDFLAGS, CARGO, CARGOFLAGS

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
LUADIR     ?= $(PREFIX)/share/lua/5.1
DESTDIR    ?=

CC         ?= cc
CARGO      ?= cargo
CFLAGS     ?= -O2 -g

WARNINGS   := -Wall -Wextra -Werror

# The directory in which cargo builds.
TARGET     := $(or $(CARGO_TARGET_DIR),target)

# The directory of the results.  Tests build variants of the library in other
# directories.
B          ?= build

VERSION    := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SONAME     := libngx_ipc.so.1

# The libraries with which a program must be linked if it links libngx_ipc.a.
STATIC_LIBS := -lutil -lrt -lpthread -lm -ldl

# "pkg-config --static" and CMake also name this option. It leaves out of the program
# what the program does not use.
GC_SECTIONS := -Wl,--gc-sections

# The directory in which the other libraries of "make bench SUBJECT=messages" are built.
PEERS      := $(abspath $(B))/bench/peers

# The headers in $(B)/include that are installed.
HEADERS    := $(notdir $(wildcard include/*.h)) ngx_auto_config.h

export CARGO

.PHONY: all lib archive program help demo test nginx nginx-module install-nginx-module test-nginx bench lint mutants mutations headers man reference \
        page install uninstall deps clean
.DELETE_ON_ERROR:

all: lib program man $(FIND) ## builds the library, headers, program, man pages, ngx_ipc.pc

# Cargo decides what it must build again.  If a result has the same content as
# before, build.sh does not change its time.
lib: archive
	@$(MAKE) --no-print-directory $(B)/$(SONAME)

archive: ## builds the headers and libngx_ipc.a only, for a cross build
	sh include/generator/build.sh $(B) build --release $(CARGOFLAGS)

program: ## builds ngx-ipc-zone only, which shows the zones of a running program
	sh include/generator/build.sh $(B) program $(CARGOFLAGS)

# The shared library is linked from the archive with the version script of
# build.rs, because the version script of rustc would hide the functions of
# csrc/.  "-z now" binds all functions when the program starts.  Otherwise each
# child would spend time to look up the functions that only children call.
$(B)/$(SONAME): $(B)/libngx_ipc.a $(B)/ngx_ipc.map
	$(CC) -shared -o $@ -Wl,-soname,$(SONAME) -Wl,--gc-sections,-z,defs,-z,now,-S \
	    -Wl,--version-script=$(B)/ngx_ipc.map $(LDFLAGS) \
	    -Wl,--whole-archive $(B)/libngx_ipc.a -Wl,--no-whole-archive \
	    $(STATIC_LIBS) -static-libgcc -lgcc_eh
	ln -sf $(SONAME) $(B)/libngx_ipc.so

# The files with which pkg-config and CMake find the library are written each time,
# because they contain PREFIX, which can differ.
FIND := $(addprefix $(B)/,ngx_ipc.pc ngx_ipc-config.cmake ngx_ipc-config-version.cmake)
.PHONY: $(FIND)
$(FIND): $(B)/%: packaging/%.in
	@mkdir -p $(B)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@SONAME@|$(SONAME)|' -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|' -e 's|@GC_SECTIONS@|$(GC_SECTIONS)|' $< > $@

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

demo: $(B)/demo ## runs a master with four workers that use every part
	$(B)/demo

$(B)/%: examples/%.c lib
	$(CC) $(CFLAGS) $(WARNINGS) -I$(B)/include $(INCLUDES) -o $@ $(filter %.c,$^) \
	    -L$(B) -lngx_ipc $(LIBS) -Wl,-rpath,$(abspath $(B))

$(B)/%: examples/%.cpp lib
	$(CXX) $(CFLAGS) $(WARNINGS) -std=c++17 -Wpedantic -I$(B)/include -Iinclude -o $@ $< \
	    -L$(B) -lngx_ipc -Wl,-rpath,$(abspath $(B))

$(B)/libuv $(B)/purge_libuv: LIBS := -luv
$(B)/libev: LIBS := -lev
$(B)/echo: nginx/status/ngx_counters_module.c nginx/status/ngx_counters_module.h
$(B)/echo: INCLUDES := -Inginx/status

test: ## runs all tests; ONLY="text" some suites, V=1 all output
	@sh c-tests/run/test.sh

# Builds the version of nginx in the crate nginx-src, and the version in Debian.
nginx: ## builds nginx as it is and with the library, in build/nginx-VERSION
	sh c-tests/run/nginx-build.sh 1.28.3 $(B)/nginx-1.28.3
	sh c-tests/run/nginx-build.sh bookworm $(B)/nginx-1.22.1

# NGINX=FILE      the nginx that loads the module, "nginx" by default
# NGINX_SRC=DIR   its sources, those of Debian's nginx-dev by default
nginx-module: ## builds ngx_ipc_module.so for an nginx that is installed
	@NGINX="$(NGINX)" NGINX_SRC="$(NGINX_SRC)" sh nginx/module.sh build $(B)/nginx-module

# LUADIR=DIR      the directory for the Lua library; LuaJIT finds it in the default one
install-nginx-module: nginx-module ## builds it, and copies it to the modules of this nginx
	@NGINX="$(NGINX)" LUADIR="$(LUADIR)" DESTDIR="$(DESTDIR)" sh nginx/module.sh install $(B)/nginx-module

test-nginx: nginx ## compares the two
	@sh c-tests/run/test-nginx.sh

# SUBJECT="..."   some of: channel spawn execute mesh shmem locks slab counters nginx; or messages
# SHORT=1         fewer rounds, sizes and backends
# PAGE=1          writes the results into benches/README.md
bench: ## measures the library, nginx's own C and bare system calls
ifeq ($(SUBJECT),messages)
	CARGO_TARGET_DIR="$(PEERS)" $(CARGO) build --locked --quiet --release \
	    --manifest-path benches/messages/peers/Cargo.toml
	$(CARGO) bench --locked --quiet --profile release --bench messages -- \
	    --peers="$(PEERS)/release/messages-peers" $(if $(SHORT),--short)
else
	$(CARGO) bench --locked --quiet --bench bench -- \
	    $(if $(SHORT),--short) $(if $(PAGE),--page) $(SUBJECT)
endif

# FILE="PATH..."  only these files or directories
# IN_DIFF=REV     only lines that differ from this git revision
# SHARD=K/N       only each N-th mutant, from number K on, the first number is 0
mutants: ## finds changes of the library that no test notices
	@FILE="$(FILE)" IN_DIFF="$(IN_DIFF)" SHARD="$(SHARD)" sh c-tests/run/mutants.sh

mutations: ## makes known mistakes, ONLY="text" some; a test must notice each
	@python3 c-tests/run/mutations.py

lint: lib ## checks the format of the sources, with warnings as errors
	$(CARGO) fmt --check
	rustfmt --check --edition 2024 src/shmem/*.rs
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --lib -- -D warnings
	$(CARGO) test --locked --quiet --test architecture
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
	shellcheck -x -P SCRIPTDIR -S warning -s sh include/generator/*.sh c-tests/*/*.sh nginx/*.sh nginx/status/*.sh \
	    benches/*/*.sh .ci/run
	python3 c-tests/run/mutations.py --check
	@sh c-tests/checks/generated.sh $(B)/include > $(B)/headers.log || { cat $(B)/headers.log; exit 1; }

# "make lint" and a test compare these files, which are checked in, with those that build.rs
# writes.
headers: lib ## updates include/, docs/reference.md and c-tests/checks/symbols
	@for h in $(B)/include/*.h; do \
	    case $$h in *ngx_auto_config.h) continue ;; esac; \
	    cmp -s $$h include/$${h##*/} || cp $$h include/; \
	done
	@cp $(B)/symbols c-tests/checks/symbols
	@$(MAKE) --no-print-directory reference

# The names of nginx's headers are those of the nginx that the tests build.
identifiers: lib ## updates docs/identifiers.md
	@test -d build/nginx-1.28.3/src || sh nginx/fetch.sh 1.28.3 build/nginx-1.28.3/src
	@python3 c-tests/checks/identifiers.py build/nginx-1.28.3/src $(B)/include \
	    > docs/identifiers.md

# The page of nginx's directive ipc_status for people.
page: ## updates nginx/status/ngx_ipc_status_page.c
	@python3 c-tests/checks/page.py --write

# The man pages and docs/reference.md are made from the comments in the headers.
DATE       := $(shell sed -n 's/^\#\# $(VERSION) - //p' CHANGELOG.md)
MANPAGES   := $(B)/man/man3
PROGRAMPAGE := $(B)/man/man1/ngx-ipc-zone.1
DOCUMENTED := $(wildcard include/*.h)

man: $(MANPAGES)/ngx_ipc.3 $(PROGRAMPAGE) ## makes the man pages, in build/man

$(PROGRAMPAGE): docs/man/ngx-ipc-zone.1.in Cargo.toml CHANGELOG.md
	@mkdir -p $(@D)
	@sed -e 's|@DATE@|$(DATE)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

$(MANPAGES)/ngx_ipc.3: $(DOCUMENTED) $(wildcard docs/man/*) Cargo.toml CHANGELOG.md
	@rm -rf $(MANPAGES)
	@mkdir -p $(MANPAGES)
	@awk -f docs/man/headers.awk -f docs/man/man.awk -v out=$(MANPAGES) \
	    -v version=$(VERSION) -v date=$(DATE) \
	    -v overview=docs/man/ngx_ipc.3.in $(DOCUMENTED)

reference:
	@awk -f docs/man/headers.awk -f docs/man/reference.awk $(DOCUMENTED) \
	    > docs/reference.md

PKGCONFIGDIR = $(LIBDIR)/pkgconfig
CMAKEDIR     = $(LIBDIR)/cmake/ngx_ipc
HEADERSDIR   = $(INCLUDEDIR)/ngx_ipc

# Installs what "make" has built, and does not run cargo.
install: $(FIND) man ## copies the results of make to PREFIX, /usr/local
	@test -f $(B)/$(SONAME) -a -f $(B)/ngx-ipc-zone || { echo 'run "make" first'; exit 1; }
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PKGCONFIGDIR) $(DESTDIR)$(CMAKEDIR) \
	    $(DESTDIR)$(HEADERSDIR)
	install -m 755 $(B)/ngx-ipc-zone $(DESTDIR)$(BINDIR)/ngx-ipc-zone
	install -m 755 $(B)/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libngx_ipc.so
	install -m 644 $(B)/libngx_ipc.a $(DESTDIR)$(LIBDIR)/libngx_ipc.a
	install -m 644 $(B)/ngx_ipc.pc $(DESTDIR)$(PKGCONFIGDIR)/ngx_ipc.pc
	install -m 644 $(filter %.cmake,$(FIND)) $(DESTDIR)$(CMAKEDIR)
	install -m 644 $(addprefix $(B)/include/,$(HEADERS)) include/ngx_ipc.hpp \
	    $(DESTDIR)$(HEADERSDIR)
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3
	install -m 644 $(PROGRAMPAGE) $(DESTDIR)$(MANDIR)/man1
	@for page in $(MANPAGES)/*.3; do \
	    if [ -L $$page ]; then cp -P $$page $(DESTDIR)$(MANDIR)/man3; \
	    else install -m 644 $$page $(DESTDIR)$(MANDIR)/man3; fi || exit 1; \
	done

uninstall: man ## removes them from there
	rm -f $(DESTDIR)$(BINDIR)/ngx-ipc-zone $(DESTDIR)$(MANDIR)/man1/ngx-ipc-zone.1 \
	    $(DESTDIR)$(LIBDIR)/$(SONAME) $(DESTDIR)$(LIBDIR)/libngx_ipc.so \
	    $(DESTDIR)$(LIBDIR)/libngx_ipc.a $(DESTDIR)$(PKGCONFIGDIR)/ngx_ipc.pc \
	    $(addprefix $(DESTDIR)$(CMAKEDIR)/,$(notdir $(filter %.cmake,$(FIND)))) \
	    $(addprefix $(DESTDIR)$(HEADERSDIR)/,$(HEADERS) ngx_ipc.hpp)
	@cd $(MANPAGES) && for page in *.3; do rm -f $(DESTDIR)$(MANDIR)/man3/$$page; done
	-rmdir $(DESTDIR)$(HEADERSDIR) $(DESTDIR)$(CMAKEDIR)

deps: ## installs what the tests need, on Debian
	sh c-tests/run/deps.sh

clean: ## removes what make has built
	rm -rf build $(TARGET)
