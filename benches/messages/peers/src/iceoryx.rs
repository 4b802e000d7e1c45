//! iceoryx2: publish and subscribe, where the publisher builds the payload in place.
//! Processes that sleep wait for an event, which the sender notifies.

use std::hint::spin_loop;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::event::PortFactory as Events;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory as Messages;

use super::process::{Shared, child, look_at, pin, time, time_each, wait};

type Kind = ipc::Service;

/// The memory of a subscriber's queue in bytes, as for the ring.
const MEMORY: usize = 2 << 20;

fn node() -> Node<Kind> {
    set_log_level(LogLevel::Error);
    NodeBuilder::new().create::<Kind>().expect("a node")
}

fn name(what: &str, way: &str) -> ServiceName {
    // The child has the same parent for the whole run of this program.
    let id = std::env::var("PEERS_ID").unwrap_or_default();

    format!("messages-{id}-{what}-{way}")
        .as_str()
        .try_into()
        .expect("a name")
}

fn messages(node: &Node<Kind>, way: &str, len: usize) -> Messages<Kind, [u8], ()> {
    node.service_builder(&name("data", way))
        .publish_subscribe::<[u8]>()
        .subscriber_max_buffer_size((MEMORY / (len + 64)).clamp(2, 4096))
        // A message that has no room is not dropped.
        .enable_safe_overflow(false)
        .open_or_create()
        .expect("a service")
}

fn publisher(messages: &Messages<Kind, [u8], ()>, len: usize) -> Publisher<Kind, [u8], ()> {
    messages
        .publisher_builder()
        .initial_max_slice_len(len)
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()
        .expect("a publisher")
}

fn subscriber(messages: &Messages<Kind, [u8], ()>) -> Subscriber<Kind, [u8], ()> {
    messages
        .subscriber_builder()
        .create()
        .expect("a subscriber")
}

fn send(publisher: &Publisher<Kind, [u8], ()>, bytes: &[u8]) {
    let sample = publisher.loan_slice_uninit(bytes.len()).expect("a sample");

    sample.write_from_slice(bytes).send().expect("sent");
}

fn try_receive(subscriber: &Subscriber<Kind, [u8], ()>) -> bool {
    match subscriber.receive().expect("a queue") {
        Some(sample) => {
            look_at(sample.payload());
            true
        }
        None => false,
    }
}

fn receive(subscriber: &Subscriber<Kind, [u8], ()>) {
    while !try_receive(subscriber) {
        spin_loop();
    }
}

/// Waits until both processes have come to the meeting number `meeting`, from 1 on.
fn meet(shared: &Shared, meeting: u64) {
    shared.word(64).fetch_add(1, AcqRel);

    while shared.word(64).load(Acquire) < 2 * meeting {
        std::thread::yield_now();
    }
}

pub fn one_way(n: usize, len: usize) -> f64 {
    pin(1);

    let shared = Shared::new(4096);
    let bytes = vec![7; len];
    let warm = (n / 4).max(8);
    let pid = child(|| {
        let node = node();
        let messages = messages(&node, "there", len);
        let publisher = publisher(&messages, len);

        meet(&shared, 1);

        for _ in 0..warm {
            send(&publisher, &bytes);
        }

        while shared.word(0).load(Acquire) == 0 {
            std::thread::yield_now();
        }

        for _ in 0..n {
            send(&publisher, &bytes);
        }
    });
    let node = node();
    let messages = messages(&node, "there", len);
    let subscriber = subscriber(&messages);

    meet(&shared, 1);

    for _ in 0..warm {
        receive(&subscriber);
    }

    let value = time(n, || {
        shared.word(0).store(1, Release);

        for _ in 0..n {
            receive(&subscriber);
        }
    });

    wait(&[pid]);
    value
}

/// The ports of one process for a round trip.
struct Ports {
    publisher: Publisher<Kind, [u8], ()>,
    subscriber: Subscriber<Kind, [u8], ()>,
    /// The notifier and the listener of a process that sleeps.
    events: Option<(Notifier<Kind>, Listener<Kind>)>,
    // The services live as long as the ports.
    _services: (Vec<Messages<Kind, [u8], ()>>, Vec<Events<Kind>>, Node<Kind>),
}

impl Ports {
    fn new(to: &str, from: &str, len: usize, sleeps: bool) -> Self {
        let node = node();
        let services = [messages(&node, to, len), messages(&node, from, len)];
        let event = |way| {
            node.service_builder(&name("event", way))
                .event()
                .open_or_create()
                .expect("an event")
        };
        let mut all = Vec::new();
        let events = sleeps.then(|| {
            let (there, back) = (event(to), event(from));
            let notifier = there.notifier_builder().create().expect("a notifier");
            let listener = back.listener_builder().create().expect("a listener");

            all.extend([there, back]);
            (notifier, listener)
        });

        Self {
            publisher: publisher(&services[0], len),
            subscriber: subscriber(&services[1]),
            events,
            _services: (services.into(), all, node),
        }
    }

    fn send(&self, bytes: &[u8]) {
        send(&self.publisher, bytes);

        if let Some((notifier, _)) = &self.events {
            notifier.notify().expect("notified");
        }
    }

    fn receive(&self) {
        let Some((_, listener)) = &self.events else {
            return receive(&self.subscriber);
        };

        while !try_receive(&self.subscriber) {
            listener.blocking_wait(|_| ()).expect("an event");
        }
    }
}

pub fn round_trip(n: usize, len: usize, sleeps: bool) -> f64 {
    pin(1);

    let shared = Shared::new(4096);
    let bytes = vec![7; len];
    let pid = child(|| {
        let ports = Ports::new("back", "there", len, sleeps);

        meet(&shared, 1);

        for _ in 0..n {
            ports.receive();
            ports.send(&bytes);
        }

        meet(&shared, 2);
    });
    let ports = Ports::new("there", "back", len, sleeps);

    meet(&shared, 1);

    let value = time_each(n, || {
        ports.send(&bytes);
        ports.receive();
    });

    // The child's ports live until the last message was received.
    meet(&shared, 2);
    wait(&[pid]);
    value
}
