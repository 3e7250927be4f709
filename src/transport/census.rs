//! Which processes are ours.

#[cfg(target_os = "linux")]
pub(super) use linux::{Census, Process};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{Census, Process};

#[cfg(target_os = "linux")]
#[path = "census_linux.rs"]
mod linux;

/// Systems that do not show the environment of a process: groups are all there is.
#[cfg(not(target_os = "linux"))]
mod other {
    use rustix::process::{Pid, Signal, test_kill_process_group};

    /// A group that is not empty.
    #[derive(Clone, Debug)]
    pub(crate) struct Process {
        pub(crate) group: Pid,
    }

    impl Process {
        /// Groups are signalled as such.
        #[expect(clippy::unused_self, reason = "the same face as on Linux")]
        pub(crate) fn signal(&self, _signal: Signal) {}
    }

    #[derive(Debug)]
    pub(crate) struct Census;

    impl Census {
        pub(crate) fn new(_prefix: String) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the same face as on Linux")]
        pub(crate) fn members(&self, groups: &[Pid], _mark: &str) -> Vec<Process> {
            let alive = |group: &&Pid| test_kill_process_group(**group).is_ok();
            groups
                .iter()
                .filter(alive)
                .map(|&group| Process { group })
                .collect()
        }
    }
}
