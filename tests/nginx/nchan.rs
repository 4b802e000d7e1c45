//! Workers with the module nchan are killed. c-tests/checks/nginx-modules.sh builds the
//! module.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::nginx::{Nginx, Which, body, code, get_at, same};
use crate::support::server::connect_to;
use crate::support::zones::{chunks, look};
use crate::support::{sys, wait_until};
use crate::zones_load::{
    ALLOWED, Kind, WORKERS, all_right, getters, good, modules, nginx, storm, tls_clients,
};

const LOCATIONS: &str = "
        location /publish {
            nchan_publisher;
            nchan_channel_id $arg_n;
            nchan_message_timeout 1m;
            nchan_message_buffer_length 5;
        }
        location /subscribe {
            nchan_subscriber longpoll;
            nchan_channel_id $arg_n;
            nchan_subscriber_first_message oldest;
            nchan_subscriber_timeout 1s;
        }";

/// Sends a message to a channel of nchan; returns the answer. nchan never answers if the
/// worker to which the channel belongs is killed meanwhile.
fn publish(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = connect_to(address)?;
    let mut answer = String::new();

    stream.set_read_timeout(Some(Duration::from_secs(2)))?;

    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: 5\r\n\r\nhello"
    )?;
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// nchan keeps its messages in a zone, and what it knows of them in the worker to which
/// their channel belongs. When the workers are killed, the messages cannot be read any more,
/// and their memory stays in use, also after a reload: with the library as in a stock nginx.
#[test]
fn messages_of_killed_workers() {
    const MESSAGES: usize = 40;

    same(|which| {
        let Some(directory) = modules(which) else {
            eprintln!("skipped: nchan is not built, see c-tests/checks/nginx-modules.sh");
            return;
        };
        let module = directory.join("ngx_nchan_module.so");
        let main = format!(
            "load_module {};\nuser root;\nworker_processes 2;\nerror_log log info;",
            module.display()
        );
        let http = format!(
            "nchan_shared_memory_size 4m;\nserver {{ listen 127.0.0.1:PORT; {LOCATIONS} }}"
        );
        let nginx = Nginx::new("nchan_killed", which, &main, &http);
        // The number of pieces with messages in the zone, which has no name.
        let used = || {
            let (_, list) = look(&[], nginx.master(), None);
            let line = list.lines().find(|line| line.contains(" 4194304 "));
            let zone = line
                .and_then(|line| line.split(' ').next())
                .expect("a zone");

            chunks(&look(&[], nginx.master(), Some(zone)).1, 256)[1]
        };
        let kill_all = || {
            let workers = nginx.wait_for_workers(2);

            for worker in &workers {
                sys::kill(*worker, libc::SIGKILL);
            }

            wait_until("new workers", || {
                let now = nginx.workers();

                now.len() == 2 && now.is_disjoint(&workers)
            });
        };

        nginx.spawn(&[]);
        nginx.wait_for_workers(2);

        for n in 0..MESSAGES {
            let answer = publish(nginx.address(), &format!("/publish?n={n}")).unwrap();

            assert_eq!(code(&answer), "202");
        }

        assert_eq!(body(&nginx.get("/subscribe?n=1")), "hello");
        assert_eq!(used(), MESSAGES);
        kill_all();
        assert_eq!(code(&nginx.get("/subscribe?n=1")), "408");
        assert_eq!(used(), MESSAGES);
        nginx.reload();
        assert_eq!(used(), MESSAGES);
        nginx.quit(&["exited on signal 9"]);
    });
}

/// Workers are killed at random moments under load. A worker reads from nchan's pipes what was
/// sent to the killed worker that it replaces. This has addresses in the memory of the dead
/// worker, so the worker can crash, about as often as in a stock nginx. The zones stay right,
/// and all channels get messages when such workers were replaced too.
#[test]
fn killed_under_load() {
    if modules(Which::Ipc).is_none() {
        eprintln!("skipped: nchan is not built, see c-tests/checks/nginx-modules.sh");
        return;
    }

    let (nginx, tls) = nginx("nchan_load", &["ngx_nchan"], "", LOCATIONS);
    let address = nginx.address();
    let sent = move |n| {
        good(
            publish(address, &format!("/publish?n={n}")),
            &["201", "202"],
        )
    };

    storm(
        &nginx,
        &[
            getters("pages", 4, &nginx, "/"),
            tls_clients(&nginx, tls),
            Kind::new("messages sent", 2, move |n| sent(n % 17)),
            Kind::new("messages received", 2, move |n| {
                good(
                    get_at(address, &format!("/subscribe?n={}", n % 17)),
                    &["200"],
                )
            }),
        ],
    );

    // Each channel belongs to a worker.
    for channel in 2000..2000 + 4 * WORKERS {
        wait_until("a message", || {
            let received = || get_at(address, &format!("/subscribe?n={channel}"));

            sent(channel) && received().is_ok_and(|answer| body(&answer) == "hello")
        });
    }

    assert_eq!(body(&nginx.get("/zones?do=check")), "right");
    all_right(&nginx);

    let crashes = ["exited on signal 11", "exited on signal 6"];

    nginx.quit(&[&ALLOWED[..], &crashes].concat());
}
