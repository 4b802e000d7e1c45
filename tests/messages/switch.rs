//! A region, and a copy of it to which a process can switch.

use std::ptr::NonNull;
use std::sync::atomic::Ordering::{self, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicUsize};

use ngx_ipc::message::endpoint::Endpoint;
use ngx_ipc::message::identity::Identity;
use ngx_ipc::message::layout::{Layout, Sizes};
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::peers::{Heritage, appoint};
use ngx_ipc::message::recover::recover;
use ngx_ipc::message::verify::{Report, verify};

use super::world::lineage_of;

pub type Process = Endpoint<&'static Switch>;

/// Two regions. All endpoints of this process use the same one of them; which
/// one, can change at any time.
pub struct Switch {
    regions: [Mapped; 2],
    current: AtomicUsize,
    pub layout: Layout,
    /// Whether a ring was heard since [`Switch::use_region`].
    pub rung: AtomicBool,
}

/// The region that another process changes.
pub const LIVE: usize = 0;
/// The copy.
pub const COPY: usize = 1;

impl Switch {
    pub fn new(sizes: Sizes) -> &'static Self {
        let layout = Layout::new(sizes).unwrap();
        let region = || Mapped::new(layout.size(), sizes.slots as usize).unwrap();
        // It lives as long as the test program.
        let this: &'static Self = Box::leak(Box::new(Self {
            regions: [region(), region()],
            current: AtomicUsize::new(LIVE),
            layout,
            rung: AtomicBool::new(false),
        }));

        layout.create(&this);
        this
    }

    pub fn use_region(&self, index: usize) {
        self.current.store(index, Relaxed);
        self.rung.store(false, Relaxed);
    }

    fn region(&self) -> &Mapped {
        &self.regions[self.current.load(Relaxed)]
    }

    /// The bytes of a region.
    #[allow(unsafe_code)]
    fn bytes(&self, index: usize) -> *mut u8 {
        (&self.regions[index])
            .address(0, self.layout.size())
            .unwrap()
            .as_ptr()
    }

    /// Copies `bytes` into a region.
    #[allow(unsafe_code)]
    pub fn restore(&self, index: usize, bytes: &[u8]) {
        // SAFETY: the region has the size of the layout, as `bytes` has; the
        // process that changes the region is stopped or dead.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.bytes(index), bytes.len()) };
    }

    /// Copies the live region. Returns false if it is equal to `bytes`.
    #[allow(unsafe_code)]
    pub fn changed(&self, bytes: &mut Vec<u8>) -> bool {
        // SAFETY: the region has the size of the layout. The process that
        // changes it is stopped or dead.
        let live = unsafe { std::slice::from_raw_parts(self.bytes(LIVE), self.layout.size()) };

        if bytes == live {
            return false;
        }

        bytes.clear();
        bytes.extend_from_slice(live);
        true
    }

    pub fn start(&'static self, slot: u32) -> Process {
        self.appoint(slot);
        Endpoint::attach(self, slot).unwrap()
    }

    pub fn appoint(&'static self, slot: u32) {
        let identity = Identity::default();

        let lineage = lineage_of(&self, &self.layout, slot, Heritage::Successor);

        assert!(appoint(&self, &self.layout, slot, identity, lineage));
    }

    pub fn recover(&'static self, slot: u32, incarnation: u32) {
        let heritage = Heritage::Successor;

        recover(&self, &self.layout, slot, incarnation, heritage);
    }

    pub fn verify(&'static self) -> Report {
        verify(&self, &self.layout).unwrap()
    }
}

impl Memory for &'static Switch {
    fn size(&self) -> usize {
        self.layout.size()
    }

    fn load(&self, at: usize, order: Ordering) -> u64 {
        self.region().load(at, order)
    }

    fn store(&self, at: usize, value: u64, order: Ordering) {
        self.region().store(at, value, order);
    }

    fn swap(&self, at: usize, value: u64) -> u64 {
        self.region().swap(at, value)
    }

    fn replace(&self, at: usize, from: u64, to: u64) -> bool {
        self.region().replace(at, from, to)
    }

    fn set_bits(&self, at: usize, bits: u64) {
        self.region().set_bits(at, bits);
    }

    fn clear_bits(&self, at: usize, bits: u64) {
        self.region().clear_bits(at, bits);
    }

    fn fence(&self) {
        self.region().fence();
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.region().write(at, bytes);
    }

    fn read(&self, at: usize, to: &mut [u8]) {
        self.region().read(at, to);
    }

    fn address(&self, at: usize, len: usize) -> Option<NonNull<u8>> {
        self.region().address(at, len)
    }

    fn ring(&self, slot: u32) {
        self.rung.store(true, Relaxed);
        self.region().ring(slot);
    }

    fn now(&self) -> u64 {
        self.region().now()
    }

    fn give_back(&self, at: usize, len: usize) {
        self.region().give_back(at, len);
    }
}
