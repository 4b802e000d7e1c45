# ngx-ipc: nginx's process and IPC layer as a library.
#
#   make            builds the library, the headers and ngx_ipc.pc in build/
#   make demo       a master and four workers that show what it does
#   make test       all tests
#   make nginx      a stock nginx and one on the library, in build/nginx-VERSION
#   make test-nginx compares the two
#   make bench      beside nginx's own C and bare system calls, benches/README.md
#   make lint       warnings are errors, formatting is checked
#   make headers    puts the headers of src/abi/ into include/
#   make install    honours PREFIX, LIBDIR, INCLUDEDIR and DESTDIR
#   make uninstall  undoes it
#   make deps       installs what the tests need (Debian)
#   make clean
#
# NGX_HAVE_FEATURE=0 or 1 answers a probe; MAP_ANON, MAP_DEVZERO and SYSVSHM
# are the ways to shared memory, of which the first is taken.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=

CC         ?= cc
CARGO      ?= cargo
CFLAGS     ?= -O2 -g

WARNINGS   := -Wall -Wextra -Werror

# Where cargo builds.
TARGET     := $(or $(CARGO_TARGET_DIR),target)

# B is where results go; tests build variants of the library elsewhere.
B          ?= build

VERSION    := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
SONAME     := libngx_ipc.so.1

# What a program that is linked with the archive needs as well.
STATIC_LIBS := -lutil -lrt -lpthread -lm -ldl

# Headers by hand; build.rs makes the others of src/abi/.
BY_HAND    := ngx_config.h ngx_core.h ngx_os.h ngx_string.h
HEADERS    := $(notdir $(wildcard include/*.h)) ngx_auto_config.h

.PHONY: all lib demo test nginx test-nginx bench lint headers install uninstall deps clean
.DELETE_ON_ERROR:

all: lib $(B)/ngx_ipc.pc

# Cargo knows what has changed; what did not keeps its time here.
lib:
	@mkdir -p $(B)/include
	NGX_IPC_OUT=$(abspath $(B)) $(CARGO) build --release --locked --lib \
	    $(CARGOFLAGS)
	@cd include && cp -u $(BY_HAND) $(abspath $(B))/include
	@cmp -s $(TARGET)/release/libngx_ipc.a $(B)/libngx_ipc.a \
	    || cp $(TARGET)/release/libngx_ipc.a $(B)/libngx_ipc.a
	@$(MAKE) --no-print-directory $(B)/$(SONAME)

# Linked from the archive with a version script of our own: rustc's would
# hide the symbols of csrc/. Bound at once: a function that only children call
# would be looked up in each of them.
$(B)/$(SONAME): $(B)/libngx_ipc.a src/abi/ngx_ipc.map
	$(CC) -shared -o $@ -Wl,-soname,$(SONAME) -Wl,--gc-sections,-z,defs,-z,now,-S \
	    -Wl,--version-script=src/abi/ngx_ipc.map $(LDFLAGS) \
	    -Wl,--whole-archive $(B)/libngx_ipc.a -Wl,--no-whole-archive \
	    $(STATIC_LIBS) -static-libgcc -lgcc_eh
	ln -sf $(SONAME) $(B)/libngx_ipc.so

# Made anew each time: it depends on where things are to be installed.
.PHONY: $(B)/ngx_ipc.pc
$(B)/ngx_ipc.pc: ngx_ipc.pc.in
	@mkdir -p $(B)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|' ngx_ipc.pc.in > $@

# make demo

demo: $(B)/demo
	$(B)/demo

$(B)/%: examples/%.c lib
	$(CC) $(CFLAGS) $(WARNINGS) -I$(B)/include -o $@ $(filter %.c,$^) \
	    -L$(B) -lngx_ipc -Wl,-rpath,$(abspath $(B))

$(B)/echo: examples/ngx_counters_module.c examples/ngx_counters_module.h

# make test

test:
	sh c-tests/run/test.sh

# make nginx
#
# Of the version that the crate nginx-src has, and of Debian's.

nginx:
	sh c-tests/run/nginx-build.sh 1.28.3 $(B)/nginx-1.28.3
	sh c-tests/run/nginx-build.sh bookworm $(B)/nginx-1.22.1

# make test-nginx

test-nginx: nginx
	sh c-tests/run/test-nginx.sh

# make bench
#
#   SUBJECT="..."   channel, spawn, execute, mesh, shmem, nginx; all without it
#   SHORT=1         fewer rounds, sizes and backends
#   PAGE=1          what comes out goes into benches/README.md as well

bench:
	$(CARGO) bench --locked --quiet --bench bench -- \
	    $(if $(SHORT),--short) $(if $(PAGE),--page) $(SUBJECT)

# make lint

lint:
	$(CARGO) fmt --check
	rustfmt --check --edition 2024 src/shmem/*.rs
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --lib -- -D warnings
	$(CARGO) test --locked --quiet --test architecture
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
	shellcheck -x -P SCRIPTDIR -S warning -s sh c-tests/*/*.sh nginx/*.sh .ci/run

# The checked-in headers are what build.rs makes of src/abi/; a test compares.

headers: lib
	@for h in $(B)/include/ngx_*.h; do \
	    case $$h in *ngx_auto_config.h) ;; *) cp $$h include/ ;; esac; \
	done

# make install

PKGCONFIGDIR = $(LIBDIR)/pkgconfig
HEADERSDIR   = $(INCLUDEDIR)/ngx_ipc

# What "make" has built is installed as it is: who installs needs no cargo.

install: $(B)/ngx_ipc.pc
	@test -f $(B)/$(SONAME) || { echo 'run "make" first'; exit 1; }
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PKGCONFIGDIR) \
	    $(DESTDIR)$(HEADERSDIR)
	install -m 755 $(B)/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libngx_ipc.so
	install -m 644 $(B)/libngx_ipc.a $(DESTDIR)$(LIBDIR)/libngx_ipc.a
	install -m 644 $(B)/ngx_ipc.pc $(DESTDIR)$(PKGCONFIGDIR)/ngx_ipc.pc
	install -m 644 $(addprefix $(B)/include/,$(HEADERS)) \
	    $(DESTDIR)$(HEADERSDIR)

uninstall:
	rm -f $(DESTDIR)$(LIBDIR)/$(SONAME) $(DESTDIR)$(LIBDIR)/libngx_ipc.so \
	    $(DESTDIR)$(LIBDIR)/libngx_ipc.a $(DESTDIR)$(PKGCONFIGDIR)/ngx_ipc.pc \
	    $(addprefix $(DESTDIR)$(HEADERSDIR)/,$(HEADERS))
	-rmdir $(DESTDIR)$(HEADERSDIR)

deps:
	sh c-tests/run/deps.sh

clean:
	rm -rf build $(TARGET)
