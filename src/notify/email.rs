//! Mail by SMTP: plain text that leads to the page. Nothing in it decides, for machines follow links.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::plan::Facts;
use super::words::{headline, lines, link};
use super::{House, Told};
use crate::config::{self, EmailTls, Hears, Occasion};

/// For one attempt.
const TIMEOUT: Duration = Duration::from_secs(20);

/// People who are told by mail.
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailboxes,
    hears: Hears,
}

impl Email {
    pub(super) fn new(settings: &config::Email) -> std::io::Result<Self> {
        let other = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
        let parameters = || {
            let mut parameters = TlsParameters::builder(settings.host.clone())
                .certificate_store(CertificateStore::WebpkiRoots);
            if let Some(path) = &settings.ca_file {
                let roots = Certificate::from_pem(&std::fs::read(path)?);
                parameters = parameters.add_root_certificate(roots.map_err(|it| other(&it))?);
            }
            parameters.build_rustls().map_err(|error| other(&error))
        };
        let tls = match settings.tls {
            EmailTls::StartTls => Tls::Required(parameters()?),
            EmailTls::Whole => Tls::Wrapper(parameters()?),
            EmailTls::None => Tls::None,
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
                .port(settings.port)
                .tls(tls)
                .timeout(Some(TIMEOUT));
        if let Some((name, password)) = &settings.login {
            let credentials = Credentials::new(name.clone(), password.expose().to_owned());
            transport = transport.credentials(credentials);
        }
        let mut to = Mailboxes::new();
        for address in &settings.to {
            to.push(address.parse().map_err(|error| other(&error))?);
        }
        let from = settings.from.parse().map_err(|error| other(&error))?;
        Ok(Self { transport: transport.build(), from, to, hears: settings.hears.clone() })
    }

    pub(super) const fn hears(&self) -> &Hears {
        &self.hears
    }

    pub(super) async fn tell(
        &self,
        id: &str,
        occasion: Occasion,
        facts: &Facts,
        house: &House,
    ) -> Told {
        let Ok(message) = self.message(id, occasion, facts, house) else {
            return Told::Refused("the mail could not be written".to_owned());
        };
        match self.transport.send(message).await {
            Ok(_) => Told::Arrived(None),
            Err(error) => {
                let why = std::error::Error::source(&error);
                let why = why.map_or_else(|| error.to_string(), ToString::to_string);
                Told::Failed(why)
            }
        }
    }

    fn message(
        &self,
        id: &str,
        occasion: Occasion,
        facts: &Facts,
        house: &House,
    ) -> Result<Message, lettre::error::Error> {
        let mut text = format!("{}\n\n", headline(occasion, facts));
        for (name, value) in lines(facts, house) {
            text.push_str(&format!("{name}: {value}\n"));
        }
        if let Some(link) = link(facts, house) {
            text.push_str(&format!("\nRead and decide: {link}\n"));
        }
        text.push_str("\nThis mail decides nothing; whoever opens the page signs in first.\n");
        let mut message = Message::builder()
            .from(self.from.clone())
            // The same at every attempt, so that a second one is seen to be the same mail.
            .message_id(Some(format!("<{id}@portcullis.invalid>")))
            .subject(format!("[{}] {}", house.environment, headline(occasion, facts)))
            .header(ContentType::TEXT_PLAIN);
        for to in self.to.iter() {
            message = message.to(to.clone());
        }
        message.body(text)
    }
}
