use tempfile::tempdir;
use tokio::net::UnixStream;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn bind(path: &Path, mode: u32) -> io::Result<Listener> {
    Listener::bind(&Listen::Unix(path.to_owned()), mode).await
}

#[tokio::test]
async fn the_file_has_its_permissions_and_goes_with_the_listener() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("s");
    for permissions in [0o600, 0o666] {
        let listener = bind(&path, permissions).await.unwrap();
        assert_eq!(mode(&path), permissions);
        assert_eq!(listener.place().unwrap(), Listen::Unix(path.clone()));
        let (connected, accepted) = tokio::join!(UnixStream::connect(&path), listener.accept());
        assert!(connected.is_ok() && accepted.is_ok());
        drop(listener);
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_stale_file_gives_way_and_a_live_one_does_not() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a stale file");
    let listener = bind(&path, 0o600).await.unwrap();
    let second = bind(&path, 0o600).await;
    assert_eq!(second.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    assert!(
        UnixStream::connect(&path).await.is_ok(),
        "the first lives on"
    );
    drop(listener);
}

#[tokio::test]
async fn one_that_is_about_to_go_is_waited_for() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("s");
    let leaving = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let leaves = std::thread::spawn(move || drop((leaving.accept(), leaving)));
    let listener = bind(&path, 0o600).await.unwrap();
    leaves.join().unwrap();
    assert_eq!(listener.place().unwrap(), Listen::Unix(path));
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("s");
    fs::write(&path, "precious").unwrap();
    let refused = bind(&path, 0o600).await.err().unwrap();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    let listener = bind(&path, 0o600).await.unwrap();
    fs::rename(&path, directory.path().join("old")).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists(), "somebody else's socket by now");
    drop(other);
}
