//! What the kernel keeps a child from: other files than its own, and every network.
//!
//! Landlock restricts the file system and TCP, a seccomp filter denies new sockets of any kind. Where the kernel has neither
//! (other systems, old kernels), the child works all the same; `doctor` says so.

use std::path::{Path, PathBuf};

/// Keeps this thread, and all that it starts, from files outside `folder` and `reads`, and from every network. In words,
/// what could not be done.
#[cfg(target_os = "linux")]
pub(super) fn confine(folder: &Path, reads: &[PathBuf]) -> Vec<String> {
    let files = linux::files(folder, reads).err();
    let sockets = linux::sockets().err();
    files.into_iter().chain(sockets).collect()
}

/// There is nothing of the kind here.
#[cfg(not(target_os = "linux"))]
pub(super) fn confine(_folder: &Path, _reads: &[PathBuf]) -> Vec<String> {
    vec!["this system confines no process to its files".to_owned()]
}

/// Whether children can be confined here, in a sentence for people.
///
/// # Errors
/// In a sentence, what is missing.
pub fn can_confine() -> Result<&'static str, &'static str> {
    #[cfg(target_os = "linux")]
    if linux::is_supported() {
        return Ok("children open no file but their own, and no network");
    }
    Err("children could open other files: this system has no Landlock (Linux 5.13 or later has it)")
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};

    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, RulesetError, RulesetStatus, path_beneath_rules,
    };
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    /// The rights that are asked for; a kernel that knows fewer is asked for those.
    const RIGHTS: ABI = ABI::V4;

    pub(super) fn files(folder: &Path, reads: &[PathBuf]) -> Result<(), String> {
        let restrict = || -> Result<RulesetStatus, RulesetError> {
            let all = AccessFs::from_all(RIGHTS);
            let created = Ruleset::default()
                .handle_access(all)?
                .handle_access(AccessNet::from_all(RIGHTS))?
                .create()?;
            let status = created
                .add_rules(path_beneath_rules([folder], all))?
                .add_rules(path_beneath_rules(reads, AccessFs::from_read(RIGHTS)))?
                .restrict_self()?;
            Ok(status.ruleset)
        };
        match restrict() {
            Ok(RulesetStatus::NotEnforced) => Err("the kernel has no Landlock".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("Landlock: {error}")),
        }
    }

    pub(super) fn is_supported() -> bool {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(ABI::V1))
            .and_then(Ruleset::create)
            .is_ok()
    }

    /// No socket of any kind: Landlock knows TCP alone.
    pub(super) fn sockets() -> Result<(), String> {
        let denied = u32::try_from(libc::EPERM).unwrap_or(1);
        let filter = || -> Result<(), seccompiler::Error> {
            let program: BpfProgram = SeccompFilter::new(
                [(libc::SYS_socket, Vec::new())].into(),
                SeccompAction::Allow,
                SeccompAction::Errno(denied),
                std::env::consts::ARCH.try_into()?,
            )?
            .try_into()?;
            seccompiler::apply_filter(&program)
        };
        filter().map_err(|error| format!("seccomp: {error}"))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// Both restrict the thread they are called from, so each has one of its own.
    fn in_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(work).join().expect("the thread ends well")
    }

    #[test]
    fn files_of_others_are_out_of_reach() {
        if can_confine().is_err() {
            return;
        }
        let own = tempfile::tempdir().expect("a folder");
        let other = tempfile::tempdir().expect("a folder");
        let (readable, secret) = (other.path().join("input"), other.path().join("secret"));
        for path in [&readable, &secret] {
            std::fs::write(path, "x").expect("written");
        }
        let folder = own.path().to_owned();
        let (read, refused, outside, inside) = in_a_thread(move || {
            assert_eq!(confine(&folder, std::slice::from_ref(&readable)), Vec::<String>::new());
            let write = |path: PathBuf| std::fs::write(path, "y").map_err(|error| error.kind());
            (
                std::fs::read_to_string(&readable).ok(),
                std::fs::read(&secret).map_err(|error| error.kind()),
                write(readable),
                write(folder.join("made")),
            )
        });
        assert_eq!(read.as_deref(), Some("x"));
        assert_eq!(refused, Err(ErrorKind::PermissionDenied));
        assert_eq!(outside, Err(ErrorKind::PermissionDenied));
        assert_eq!(inside, Ok(()));
    }

    #[test]
    fn there_is_no_network() {
        let bound = in_a_thread(|| {
            linux::sockets().expect("the filter is taken");
            let kind = |error: std::io::Error| error.kind();
            (
                std::net::UdpSocket::bind("127.0.0.1:0").map_err(kind).err(),
                std::net::TcpStream::connect("127.0.0.1:1").map_err(kind).err(),
            )
        });
        assert_eq!(
            bound,
            (Some(ErrorKind::PermissionDenied), Some(ErrorKind::PermissionDenied))
        );
    }
}
