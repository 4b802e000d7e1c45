//! Workers are killed at random under load, one or all at once. All users of zones run:
//! those of nginx, and the module lua if c-tests/checks/nginx-modules.sh has built it.
//!
//! `T_KILLS=SECONDS` sets how long workers are killed, and `T_SEED=N` in which order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::{Duration, Instant};

use crate::defects::compiled;
use crate::nginx::{Nginx, Which, body, code, get_at, header, version};
use crate::support::build::root;
use crate::support::random::Random;
use crate::support::server::free_port;
use crate::support::zones::look;
use crate::support::{sys, wait_until};
use crate::zones::{certificate, openssl, try_openssl};

pub const WORKERS: usize = 4;

/// Servers with each of nginx's own users of zones. SECURE is the port of the second one.
const USERS: &str = "
    limit_req_zone $arg_n zone=r:64k rate=10000r/s;
    limit_conn_zone $arg_n zone=n:1m;
    proxy_cache_path DIRECTORY/cache keys_zone=c:1m max_size=100k;
    upstream u { zone u 64k; server 127.0.0.1:PORT max_fails=0; }
    ssl_session_cache shared:s:64k;
    ssl_session_tickets off;
    ssl_protocols TLSv1.2;
    server {
        listen 127.0.0.1:PORT backlog=4096;
        location / {
            limit_req zone=r burst=10000 nodelay;
            limit_conn n 1000;
            proxy_cache c;
            proxy_cache_valid 200 1s;
            proxy_pass http://u/origin/;
        }
        location /page {
            proxy_cache c;
            proxy_cache_valid 200 1h;
            proxy_pass http://u/origin/;
            add_header X-Cache $upstream_cache_status;
        }
        location /origin/ { return 200 $pid; }
        location /status { stub_status; }
        location /zones { zones; }
        LOCATIONS
    }
    server {
        listen 127.0.0.1:SECURE ssl;
        ssl_certificate DIRECTORY/cert;
        ssl_certificate_key DIRECTORY/key;
        location / { return 200 reused:$ssl_session_reused; }
    }";

/// The dictionary `d` is full most of the time, so that lua removes the oldest values.
const LUA: &str = "
    lua_package_path \"SOURCES/lua-resty-core/lib/?.lua;SOURCES/lua-resty-lrucache/lib/?.lua;;\";
    lua_shared_dict d 64k;
    lua_shared_dict kept 64k;";

const LUA_LOCATIONS: &str = "
        location /lua { content_by_lua_block {
            local d, n = ngx.shared.d, ngx.var.arg_n
            d:set(n, string.rep(n, 100), 0.5)
            d:incr('all', 1, 0)
            d:lpush('list', n)
            if d:llen('list') > 20 then d:delete('list') end
            if n % 7 == 0 then d:flush_expired(10) end
            ngx.say(#(d:get(n) or ''))
        } }
        location /kept { content_by_lua_block {
            local kept = ngx.shared.kept
            if ngx.var.arg_set then kept:set('key', ngx.var.arg_set) end
            ngx.say(kept:get('key'))
        } }";

/// The directory with the modules lua and nchan for this nginx, which
/// c-tests/checks/nginx-modules.sh builds, if they are there.
pub fn modules(which: Which) -> Option<PathBuf> {
    let directory = root()
        .join(format!("build/modules-{}", version().0))
        .join(match which {
            Which::Stock | Which::Loaded => "stock",
            Which::Ipc => "ipc",
        });

    (std::env::var_os("T_NGINX").is_none() && directory.join("ngx_nchan_module.so").exists())
        .then_some(directory)
}

/// The seconds for which workers are killed.
fn seconds() -> u64 {
    std::env::var("T_KILLS").map_or(5, |text| text.parse().expect("T_KILLS"))
}

/// An nginx with all users of zones, which is not started yet, and the port for TLS. It
/// loads the modules `load`, and has these directives in addition.
pub fn nginx(test: &str, load: &[&str], http: &str, locations: &str) -> (Nginx, SocketAddr) {
    let which = Which::Ipc;
    let tls = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let directory = modules(which).unwrap_or_default();
    let zones = compiled("ngx_http_zones_module", which);
    let paths = load
        .iter()
        .map(|name| directory.join(format!("{name}_module.so")));
    let load: String = paths
        .chain([zones])
        .map(|path| format!("load_module {};\n", path.display()))
        .collect();
    let sources = root().join("build/modules").display().to_string();
    let main = format!("{load}user root;\nworker_processes {WORKERS};\nerror_log log info;");
    let users = USERS
        .replace("SECURE", &tls.port().to_string())
        .replace("LOCATIONS", locations);
    let nginx = Nginx::new(test, which, "", "");

    nginx.configure(&main, &(http.replace("SOURCES", &sources) + &users));
    certificate(&nginx);
    (nginx, tls)
}

/// A kind of client: sends requests with one number after the other until the storm ends.
pub struct Kind {
    name: &'static str,
    clients: usize,
    /// Sends a request with a number; tells whether the answer is right.
    ask: Box<dyn Fn(usize) -> bool + Sync>,
    answered: AtomicUsize,
}

impl Kind {
    pub fn new(
        name: &'static str,
        clients: usize,
        ask: impl Fn(usize) -> bool + Sync + 'static,
    ) -> Self {
        let (ask, answered) = (Box::new(ask), AtomicUsize::new(0));

        Self {
            name,
            clients,
            ask,
            answered,
        }
    }

    /// A request fails if its worker is killed.
    fn run(&self, mut n: usize, ends: &AtomicBool) {
        while !ends.load(Relaxed) {
            n = (n * 31 + 17) % 1009;

            if (self.ask)(n) {
                self.answered.fetch_add(1, Relaxed);
            }
        }
    }
}

/// The arguments of an openssl that connects to `address`, and stores its session or
/// resumes it.
fn s_client<'a>(address: &'a str, session: &'a str) -> [&'a str; 6] {
    let [option, file] = session.split_once(' ').map(<[_; 2]>::from).unwrap();

    ["s_client", "-quiet", "-connect", address, option, file]
}

const GET: &str = "GET / HTTP/1.0\r\n\r\n";

pub fn good(answer: std::io::Result<String>, codes: &[&str]) -> bool {
    answer.is_ok_and(|answer| codes.contains(&code(&answer)))
}

/// Clients that get `path` with a number.
pub fn getters(name: &'static str, clients: usize, nginx: &Nginx, path: &'static str) -> Kind {
    let address = nginx.address();

    Kind::new(name, clients, move |n| {
        good(get_at(address, &format!("{path}?n={n}")), &["200"])
    })
}

pub fn tls_clients(nginx: &Nginx, tls: SocketAddr) -> Kind {
    let (directory, tls) = (nginx.directory.clone(), tls.to_string());

    Kind::new("TLS", 1, move |n| {
        let session = ["-sess_out load", "-sess_in load"][n % 2];
        // With this option, openssl first connects five times with its session.
        let arguments = [&s_client(&tls, session)[..], &["-reconnect"]].concat();
        let out = try_openssl(&directory, &arguments, GET);

        String::from_utf8_lossy(&out.stdout).contains("reused:")
    })
}

/// Kills workers at random moments: one, or all at once. Returns how often.
///
/// The library delays the respawn of a worker that dies in its first second. So a single
/// worker is killed when it is older, and after a kill of all workers there is a pause.
fn kill(nginx: &Nginx, random: &mut Random) -> [usize; 2] {
    const YOUNG: Duration = Duration::from_millis(1100);

    let until = Instant::now() + Duration::from_secs(seconds());
    let mut seen = BTreeMap::new();
    let mut kills = [0, 0];

    // Each kind of kill occurs at least once, also on a slow machine.
    while Instant::now() < until || kills.contains(&0) {
        thread::sleep(Duration::from_millis(random.below(400) as u64));

        let workers = nginx.workers();

        seen.retain(|worker, _| workers.contains(worker));

        for &worker in &workers {
            seen.entry(worker).or_insert_with(Instant::now);
        }

        let old = workers
            .iter()
            .filter(|worker| seen[worker].elapsed() > YOUNG);
        let Some(&one) = random.one(old) else {
            continue;
        };
        let all = match kills {
            [0, _] => false,
            [_, 0] => true,
            _ => random.below(4) == 0,
        };

        for &worker in workers.iter().filter(|&&worker| all || worker == one) {
            sys::kill(worker, libc::SIGKILL);
        }

        thread::sleep(if all { YOUNG } else { Duration::ZERO });
        kills[usize::from(all)] += 1;
    }

    kills
}

/// The lines that a killed worker causes. nginx writes the last one if a worker was
/// killed that used an entry of the cache.
pub const ALLOWED: [&str; 5] = [
    "exited on signal 9",
    "was locked by",
    "has exited and held the lock",
    "prematurely closed connection",
    "ignore long locked inactive cache entry",
];

/// Starts nginx, and kills workers while the clients send requests.
pub fn storm(nginx: &Nginx, kinds: &[Kind]) {
    let seed = std::env::var("T_SEED").map_or(std::process::id(), |text| text.parse().unwrap());
    let ends = &AtomicBool::new(false);

    nginx.spawn(&[]);
    nginx.wait_for_workers(WORKERS);

    let [one, all] = thread::scope(|scope| {
        for kind in kinds {
            for client in 0..kind.clients {
                scope.spawn(move || kind.run(client, ends));
            }
        }

        let kills = kill(nginx, &mut Random::new(seed.into()));

        ends.store(true, Relaxed);
        kills
    });

    nginx.wait_for_workers(WORKERS);
    eprintln!("T_SEED={seed}: {one} kills of one worker, {all} of all workers");

    for kind in kinds {
        eprintln!("{}: {} answers", kind.name, kind.answered.load(Relaxed));
        assert!(kind.answered.load(Relaxed) > 0, "{}", kind.name);
    }
}

/// Checks all zones from outside of nginx.
pub fn all_right(nginx: &Nginx) {
    let (code, text) = look(&["-v"], nginx.master(), None);

    assert_eq!(code, 0, "{text}");
    assert!(text.matches(": right").count() >= 5, "{text}");
}

/// Workers are killed at random moments under load. The zones stay right, no process
/// hangs, all requests are answered afterwards, and a reload keeps what the zones contain.
#[test]
fn killed_under_load() {
    let has_lua = modules(Which::Ipc).is_some();
    let (nginx, tls) = if has_lua {
        nginx(
            "zones_load",
            &["ndk_http", "ngx_http_lua"],
            LUA,
            LUA_LOCATIONS,
        )
    } else {
        eprintln!("skipped: lua is not built, see c-tests/checks/nginx-modules.sh");
        nginx("zones_load", &[], "", "")
    };
    let mut kinds = vec![getters("pages", 6, &nginx, "/"), tls_clients(&nginx, tls)];

    if has_lua {
        kinds.push(getters("lua", 2, &nginx, "/lua"));
    }

    storm(&nginx, &kinds);

    for worker in nginx.workers() {
        assert_eq!(code(&nginx.get_from(worker, "/?n=new")), "200");
        assert_eq!(code(&nginx.get_from(worker, "/status")), "200");
        assert_eq!(body(&nginx.get_from(worker, "/zones?do=check")), "right");

        if has_lua {
            assert_eq!(lua(&nginx.get_from(worker, "/lua?n=70")), "200");
        }
    }

    all_right(&nginx);
    keeps(&nginx, tls, has_lua);
    nginx.quit(&ALLOWED);
}

/// The answer of lua, one chunk that is a line.
fn lua(answer: &str) -> &str {
    body(answer).lines().nth(1).unwrap_or_default()
}

/// A reload keeps what the zones contain.
fn keeps(nginx: &Nginx, tls: SocketAddr, has_lua: bool) {
    let tls = tls.to_string();
    let reused = |session| body(&openssl(nginx, &s_client(&tls, session), GET)).to_string();
    let cached = || header(&nginx.get("/page"), "X-Cache") == "HIT";

    assert_eq!(reused("-sess_out kept"), "reused:.");
    cached();
    assert!(cached());

    if has_lua {
        assert_eq!(lua(&nginx.get("/kept?set=value")), "value");
    }

    nginx.reload();
    wait_until("the end of old workers", || {
        nginx.shutting_down().is_empty()
    });

    assert_eq!(reused("-sess_in kept"), "reused:r");
    assert!(cached());

    if has_lua {
        assert_eq!(lua(&nginx.get("/kept")), "value");
    }
}
