use super::*;
use crate::domain::Event;

#[tokio::test]
async fn first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let (store, recovery) = Store::open(&path, &Options::default()).unwrap();
    assert_eq!(recovery, Recovery::default());
    let a = store.log().append(Event::Stopped).await.unwrap();
    store.log().append_later(Event::Stopped).unwrap();
    let b = store.log().append(Event::Stopped).await.unwrap();
    assert_eq!((a.seq().0, b.seq().0), (0, 2));
    drop(store);
    let (store, recovery) = Store::open(&path, &Options::default()).unwrap();
    assert_eq!(recovery, Recovery::default());
    let c = store.log().append(Event::Stopped).await.unwrap();
    assert_eq!(c.seq().0, 3);
    let report = crate::audit::verify(&path).unwrap();
    assert_eq!((report.records, report.head, report.is_whole()), (4, c.hash(), true));
}
