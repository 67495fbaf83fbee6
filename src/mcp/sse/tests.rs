//! Streams as the standard reads them, in any chunking, and what is written.

use proptest::prelude::*;

use super::*;

fn decode(chunks: &[&[u8]]) -> Result<Vec<Item>, SseError> {
    let mut decoder = Decoder::new(1000);
    let mut items = Vec::new();
    for chunk in chunks {
        items.extend(decoder.push(Bytes::copy_from_slice(chunk))?);
    }
    Ok(items)
}

fn data(text: &str) -> Event {
    Event { data: Some(Bytes::copy_from_slice(text.as_bytes())), ..Event::default() }
}

fn comment_item(text: &'static str) -> Item {
    Item::Comment(Bytes::from_static(text.as_bytes()))
}

#[test]
fn streams_are_read_as_the_standard_says() {
    let some = |text: &str| Some(text.to_owned());
    let rows: Vec<(&[u8], Vec<Item>)> = vec![
        (b"", vec![]),
        (b"\n\n\r\r\n", vec![]),
        (b"data: a\n\n", vec![Item::Event(data("a"))]),
        (b"data:a\r\rdata:  b\r\n\r\n", vec![Item::Event(data("a")), Item::Event(data(" b"))]),
        (b"data: a\ndata\ndata:b\n\n", vec![Item::Event(data("a\n\nb"))]),
        (b"data\n\n", vec![Item::Event(data(""))]),
        (b"data\ndata\ndata\n\n", vec![Item::Event(data("\n\n"))]),
        (b"\xef\xbb\xbfdata: a\n\n", vec![Item::Event(data("a"))]),
        (b"\xef\xbb\xbf\ndata: a\n\n", vec![Item::Event(data("a"))]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", vec![Item::Event(data("a"))]),
        (b": hi\n:\n\n", vec![comment_item(" hi"), comment_item("")]),
        (
            b"data: a\n: between\ndata: b\n\n",
            vec![comment_item(" between"), Item::Event(data("a\nb"))],
        ),
        (
            b"event: x\nid: 1\nretry: 250\ndata: a\n\n",
            vec![Item::Event(Event {
                event: some("x"),
                id: some("1"),
                retry: Some(250),
                ..data("a")
            })],
        ),
        (b"event: x\nevent:\ndata: a\n\n", vec![Item::Event(data("a"))]),
        (
            b"id: 1\ndata:\n\ndata: b\n\n",
            vec![Item::Event(Event { id: some("1"), ..data("") }), Item::Event(data("b"))],
        ),
        (b"id\ndata: a\n\n", vec![Item::Event(Event { id: some(""), ..data("a") })]),
        (b"id: a\0b\ndata: a\n\n", vec![Item::Event(data("a"))]),
        (b"retry: 3000\n\n", vec![Item::Event(Event { retry: Some(3000), ..Event::default() })]),
        (b"retry: 1.5\nretry: -1\nretry:\nretry: 1s\ndata: a\n\n", vec![Item::Event(data("a"))]),
        (b"retry: 99999999999999999999999\ndata: a\n\n", vec![Item::Event(data("a"))]),
        (b"Data: a\nDATA: b\ndata : c\n data: d\nfoo: e\n\n", vec![]),
        (b"data: a:b: c\n\n", vec![Item::Event(data("a:b: c"))]),
        (b"data: a\0b\n\n", vec![Item::Event(data("a\0b"))]),
        // Without its blank line an event is not there.
        (b"data: a\n\ndata: b\n", vec![Item::Event(data("a"))]),
        (b"data: a\n\ndata: b", vec![Item::Event(data("a"))]),
    ];
    for (stream, items) in rows {
        let shown = String::from_utf8_lossy(stream);
        assert_eq!(decode(&[stream]).as_ref(), Ok(&items), "{shown:?}");
        for cut in 0..=stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(decode(&[head, b"", tail]).as_ref(), Ok(&items), "{shown:?} at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decode(&bytes).as_ref(), Ok(&items), "{shown:?} by bytes");
    }
}

#[test]
fn an_event_is_there_with_the_chunk_that_ends_it() {
    let mut decoder = Decoder::new(100);
    let push =
        |decoder: &mut Decoder, chunk: &'static str| decoder.push(chunk.into()).unwrap().len();
    assert_eq!(push(&mut decoder, "data: a\r\n"), 0);
    assert!(!decoder.is_between_events());
    assert_eq!(push(&mut decoder, "\r"), 1);
    assert!(decoder.is_between_events());
    assert_eq!(push(&mut decoder, "\nda"), 0);
    assert!(!decoder.is_between_events());
    assert_eq!(push(&mut decoder, "ta: b\n\n: c\n"), 2);
    assert!(decoder.is_between_events());
}

#[test]
fn what_grows_without_end_is_refused() {
    let line = [b"data: ".as_slice(), &[b'x'; 1000]].concat();
    assert_eq!(decode(&[&line]), Err(SseError::TooLarge(1000)), "a line without end");
    let by_bytes: Vec<&[u8]> = line.chunks(1).collect();
    assert_eq!(decode(&by_bytes), Err(SseError::TooLarge(1000)));
    assert_eq!(
        decode(&[&b"data: x\n".repeat(200)]),
        Err(SseError::TooLarge(1000)),
        "an event without end"
    );
    assert_eq!(decode(&[&b"junk\n".repeat(300)]), Err(SseError::TooLarge(1000)), "unknown fields");
    assert_eq!(
        decode(&[&[b":".as_slice(), &[b'x'; 1000], b"\n"].concat()]),
        Err(SseError::TooLarge(1000))
    );
    assert_eq!(
        decode(&[&b": x\n".repeat(2000)]).map(|items| items.len()),
        Ok(2000),
        "comments end by themselves"
    );
    assert_eq!(decode(&[&b"data: x\n\n".repeat(2000)]).map(|items| items.len()), Ok(2000));
}

#[test]
fn types_and_ids_are_text() {
    for stream in [b"event: \xff\n\n".as_slice(), b"id: \xff\n\n"] {
        assert_eq!(decode(&[stream]), Err(SseError::Utf8));
    }
}

#[test]
fn data_is_a_slice_of_its_chunk() {
    let chunk = Bytes::from_static(b"event: message\ndata: {\"a\":1}\n\n");
    let items = Decoder::new(1000).push(chunk.clone()).unwrap();
    let [Item::Event(event)] = &items[..] else { panic!("one event") };
    assert!(chunk.as_ptr_range().contains(&event.data.as_ref().unwrap().as_ptr()));
}

#[test]
fn nothing_that_is_encoded_begins_another_field() {
    let nasty = "a\nid: 9\r\n\r\ndata: b\0";
    let event = Event { event: Some(nasty.into()), id: Some(nasty.into()), ..data("x") };
    let items = decode(&[
        &encode(&event),
        &comment(nasty),
        &encode(&Event { retry: Some(5), ..Event::default() }),
        &message("y".into(), None),
    ])
    .unwrap();
    let flat = "aid: 9data: b".to_owned();
    let expected = [
        Item::Event(Event { event: Some(flat.clone()), id: Some(flat.clone()), ..data("x") }),
        comment_item(" aid: 9data: b"),
        Item::Event(Event { retry: Some(5), ..Event::default() }),
        Item::Event(data("y")),
    ];
    assert_eq!(items, expected);
}

fn events() -> impl Strategy<Value = Event> {
    let word = proptest::option::of("[^\r\n\0]{1,8}");
    let lines = proptest::option::of(proptest::collection::vec("[^\r\n]{0,8}", 1..4));
    (word.clone(), word, lines, proptest::option::of(any::<u64>())).prop_map(
        |(event, id, lines, retry)| Event {
            event,
            id,
            data: lines.map(|lines| lines.join("\n").into()),
            retry,
        },
    )
}

proptest! {
    #[test]
    fn encoding_and_decoding_are_inverse(list in proptest::collection::vec(events(), 0..6), ends in prop::sample::select(vec!["\n", "\r", "\r\n"])) {
        let stream: Vec<u8> = list.iter().flat_map(|event| encode(event).to_vec()).collect();
        let stream = String::from_utf8(stream).unwrap().replace('\n', ends);
        let expected: Vec<Item> = list.into_iter().filter(|event| *event != Event::default()).map(Item::Event).collect();
        prop_assert_eq!(decode(&[stream.as_bytes()]), Ok(expected));
    }

    #[test]
    fn any_chunking_gives_the_same_items(
        pieces in proptest::collection::vec(prop::sample::select(vec![
            "data", "data: x", ":", ": c", "\n", "\r", "\r\n", "\n\n", "event: e", "id: 1", "retry: 7", "\u{feff}", "\u{e9}", " ", "\0", "junk",
        ]), 0..30),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let stream = pieces.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(&chunks), decode(&[&stream]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(chunks in proptest::collection::vec(any::<Vec<u8>>(), 0..5)) {
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let _ = decode(&chunks);
    }
}
