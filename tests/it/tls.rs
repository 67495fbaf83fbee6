//! TLS towards Intercom: who proves to be its host is spoken to, and nobody else is told anything.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::road::CONVERSATION;
use crate::stand::{Setup, Stand};

/// Somebody whose word about hosts is taken, or is not.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a host shows of itself.
struct Proof {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn proof(by: &CertifiedIssuer<'static, KeyPair>, host: &str, last_year: i32) -> Proof {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap().der().clone();
    Proof { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() }
}

/// A host that ends TLS with this proof and hands on to the simulator.
async fn host(proof: Proof, simulator: SocketAddr) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![proof.certificate], proof.key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Who does not believe the proof ends here.
                let Ok(mut inner) = acceptor.accept(socket).await else { return };
                let mut outer = TcpStream::connect(simulator).await.unwrap();
                let _ = copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_host_that_proves_to_be_the_one_is_spoken_to() {
    let (ours, others) = (authority(), authority());
    let setup = Setup {
        upstream: "ca_file: ca.pem",
        files: vec![("ca.pem".to_owned(), ours.pem())],
        ..Setup::default()
    };
    let mut stand = Stand::start(setup).await;
    let simulator = stand.simulator.url();
    let address = simulator.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let mut url = simulator.clone();
    for (what, proof, is_good) in [
        ("good", proof(&ours, "localhost", 4000), true),
        ("of another host", proof(&ours, "mcp.intercom.com", 4000), false),
        ("over", proof(&ours, "localhost", 2021), false),
        ("by somebody unknown", proof(&others, "localhost", 4000), false),
    ] {
        let shown = host(proof, address).await;
        let next = format!("https://localhost:{}/mcp", shown.port());
        stand.terminate();
        stand.edit_config(&url, &next);
        url = next;
        stand.simulator.clear_received();
        stand.serve();
        let reply = stand
            .client()
            .modern(
                "tools/call",
                json!({"name": "get_conversation", "arguments": {"id": CONVERSATION}}),
                json!({}),
            )
            .await;
        assert_eq!(!reply.is_tool_error(), is_good, "{what}: {reply:?}");
        assert_eq!(stand.simulator.received().is_empty(), !is_good, "{what}");
        if !is_good {
            assert!(reply.tool_text().contains("cannot be reached"), "{what}: {reply:?}");
        }
    }
}
