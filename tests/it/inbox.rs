//! What an approver comes to in the inbox and after a decision: the next call that is theirs, what was put
//! aside, what they looked for, and the names of what calls are about. By the real binary.

use http::StatusCode;

use crate::load::created;
use crate::page::{ann, grantable, held, setup};
use crate::stand::Stand;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_for_and_cannot_be_read_shows_nothing_and_says_so() {
    let (setup, _bundle) = setup(grantable());
    let stand = Stand::start(setup).await;
    let mut ann = ann(&stand).await;
    held(&stand, "create_article", created("looked for")).await;
    for (query, words) in [
        ("/?agent=agent", None),
        ("/?agent=+agent+&risk=&show=", None),
        ("/?agent=no%20body", Some("`no body` is no agent: names are")),
        ("/?agent=%3Cb%3E", Some("`&lt;b&gt;` is no agent: names are")),
        ("/?risk=enormous", Some("`enormous` is no risk: there are `high`, `medium`, `low`")),
        ("/?show=everything&agent=agent", Some("`everything` is no part of the inbox: there are")),
        ("/?page=last", Some("the address is not understood: ")),
    ] {
        let page = ann.get(query).await;
        assert_eq!(page.text.contains("looked for"), words.is_none(), "{query}: {}", page.text);
        let status = words.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.status, status, "{query}");
        assert!(page.text.contains(words.unwrap_or_default()), "{query}: {}", page.text);
        assert!(!page.text.contains("rel=\"next\""), "{query}");
    }
}
