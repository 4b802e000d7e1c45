//! ipc-channel: a channel for bytes, which has a Unix socket beneath it.

use std::hint::spin_loop;

use ipc_channel::ipc::{IpcBytesReceiver, bytes_channel};

use super::process::{child, look_at, pin, time, time_each, wait};

fn poll(receiver: &IpcBytesReceiver) -> Vec<u8> {
    loop {
        if let Ok(bytes) = receiver.try_recv() {
            return bytes;
        }

        spin_loop();
    }
}

pub fn one_way(n: usize, len: usize) -> f64 {
    pin(1);

    let (sender, receiver) = bytes_channel().expect("a channel");
    let bytes = vec![7; len];
    let pid = child(|| {
        for _ in 0..=n {
            sender.send(&bytes).expect("sent");
        }
    });

    poll(&receiver);

    let value = time(n, || {
        for _ in 0..n {
            look_at(&poll(&receiver));
        }
    });

    wait(&[pid]);
    value
}

pub fn round_trip(n: usize, len: usize, sleeps: bool) -> f64 {
    pin(1);

    let (there, there_end) = bytes_channel().expect("a channel");
    let (back, back_end) = bytes_channel().expect("a channel");
    let bytes = vec![7; len];
    let receive = |receiver: &IpcBytesReceiver| {
        if sleeps {
            receiver.recv().expect("a message")
        } else {
            poll(receiver)
        }
    };
    let pid = child(|| {
        for _ in 0..n {
            look_at(&receive(&there_end));
            back.send(&bytes).expect("sent");
        }
    });
    let value = time_each(n, || {
        there.send(&bytes).expect("sent");
        look_at(&receive(&back_end));
    });

    wait(&[pid]);
    value
}
