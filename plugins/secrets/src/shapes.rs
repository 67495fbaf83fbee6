//! The shapes of secrets that name themselves: what vendors' keys and tokens begin with.
//!
//! A shape is a prefix, the letters that may follow and how many of them. What is public by design
//! (publishable keys, ids of accounts and customers) is not here. To add one, put a line where it
//! belongs: the table is sorted by its prefixes, and a test says so.

use crate::bytes::{ALNUM, BASE64, DOTTED, HEX, UPPER, WORD};

/// What a vendor's secret looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// What it begins with, to the letter.
    pub(crate) prefix: &'static str,
    /// The class of the bytes that follow.
    pub(crate) class: u8,
    /// At least so many follow.
    pub(crate) least: u16,
    /// At most so many; 0 for any number.
    pub(crate) most: u16,
    /// How sure one can be.
    pub(crate) confidence: u8,
}

const fn shape(prefix: &'static str, class: u8, least: u16, most: u16, confidence: u8) -> Shape {
    Shape { prefix, class, least, most, confidence }
}

/// The shapes, sorted by prefix.
#[rustfmt::skip]
pub(crate) static SHAPES: &[Shape] = &[
    shape("1//0", WORD, 36, 0, 85),                  // Google, refresh
    shape("A3T", UPPER, 17, 17, 80),                 // AWS
    shape("AAAAAAAAAAAAAAAAAAAAA", TOKENISH, 60, 0, 90), // X (Twitter), bearer
    shape("ABIA", UPPER, 16, 16, 95),                // AWS
    shape("ABSK", BASE64, 100, 0, 95),               // AWS Bedrock
    shape("ACCA", UPPER, 16, 16, 90),                // AWS
    shape("AGE-SECRET-KEY-1", UPPER, 50, 58, 99),    // age
    shape("AIza", WORD, 30, 40, 97),                 // Google API
    shape("AKCp", ALNUM, 60, 73, 90),                // JFrog
    shape("AKIA", UPPER, 16, 16, 97),                // AWS
    shape("AKID", ALNUM, 32, 32, 75),                // Tencent
    shape("APKA", UPPER, 16, 16, 75),                // AWS
    shape("AQVN", WORD, 35, 40, 85),                 // Yandex
    shape("ASIA", UPPER, 16, 16, 95),                // AWS, temporary
    shape("ATATT3", TOKENISH, 60, 0, 97),            // Atlassian
    shape("ATBB", ALNUM, 28, 40, 85),                // Bitbucket
    shape("ATCTT3", TOKENISH, 60, 0, 97),            // Atlassian
    shape("ATSTT3", TOKENISH, 60, 0, 97),            // Atlassian
    shape("BBFF-", ALNUM, 24, 40, 85),               // Ubidots
    shape("CCIPAT_", WORD, 30, 0, 97),               // CircleCI
    shape("CFPAT-", WORD, 40, 0, 95),                // Contentful
    shape("CLOJARS_", ALNUM, 50, 0, 95),             // Clojars
    shape("EAAA", WORD, 56, 64, 75),                 // Square
    shape("EAACEdEose0cBA", ALNUM, 20, 0, 95),       // Facebook
    shape("EZAK", ALNUM, 54, 54, 90),                // EasyPost
    shape("EZTK", ALNUM, 54, 54, 90),                // EasyPost, test
    shape("FLWSECK", WORD, 20, 0, 95),               // Flutterwave
    shape("FlyV1", WORD, 40, 0, 90),                 // Fly.io
    shape("GOCSPX-", WORD, 20, 0, 97),               // Google OAuth client
    shape("HRKU-", WORD, 36, 0, 97),                 // Heroku
    shape("JWT_", WORD, 24, 0, 70),
    shape("LTAI", ALNUM, 12, 20, 85),                // Alibaba
    shape("NRAK-", UPPER, 27, 27, 95),               // New Relic
    shape("NRII-", WORD, 32, 32, 95),                // New Relic
    shape("NRJS-", HEX, 19, 19, 80),                 // New Relic
    shape("PMAK-", WORD, 40, 0, 97),                 // Postman
    shape("SG.", DOTTED, 40, 0, 97),                 // SendGrid
    shape("SK", HEX, 32, 32, 80),                    // Twilio
    shape("SSWS", WORD, 40, 0, 70),                  // Okta
    shape("access-development-", WORD, 36, 36, 95),  // Plaid
    shape("access-production-", WORD, 36, 36, 97),   // Plaid
    shape("access-sandbox-", WORD, 36, 36, 90),      // Plaid
    shape("aio_", ALNUM, 28, 28, 90),                // Adafruit
    shape("api_live", DOTTED, 30, 0, 85),            // Onfido
    shape("api_org_", ALNUM, 30, 40, 85),            // Hugging Face
    shape("bkua_", ALNUM, 40, 40, 95),               // Buildkite
    shape("cal_live_", ALNUM, 24, 0, 95),            // Cal.com
    shape("cio", ALNUM, 32, 32, 60),                 // crates.io
    shape("cmVmdGtu", BASE64, 48, 64, 90),           // JFrog, reference
    shape("dG9r", BASE64, 24, 0, 97),                // Intercom (`tok:` in base64)
    shape("dapi", HEX, 32, 34, 92),                  // Databricks
    shape("dckr_oat_", WORD, 20, 0, 97),             // Docker
    shape("dckr_pat_", WORD, 20, 0, 97),             // Docker
    shape("ddp_", ALNUM, 36, 0, 95),                 // Deno
    shape("doo_v1_", HEX, 64, 64, 97),               // DigitalOcean
    shape("dop_v1_", HEX, 64, 64, 97),               // DigitalOcean
    shape("dor_v1_", HEX, 64, 64, 97),               // DigitalOcean
    shape("dp.ct.", ALNUM, 40, 44, 95),              // Doppler
    shape("dp.pt.", ALNUM, 40, 44, 95),              // Doppler
    shape("dp.st.", DOTTED, 40, 0, 95),              // Doppler
    shape("dt0c01.", DOTTED, 60, 0, 95),             // Dynatrace
    shape("duffel_live_", WORD, 40, 44, 95),         // Duffel
    shape("figd_", WORD, 30, 0, 95),                 // Figma
    shape("fio-u-", WORD, 60, 0, 92),                // Frame.io
    shape("fm2_", TOKENISH, 60, 0, 85),              // Fly.io
    shape("fo1_", WORD, 40, 0, 85),                  // Fly.io
    shape("fw_", ALNUM, 22, 30, 70),                 // Fireworks
    shape("gho_", ALNUM, 20, 0, 97),                 // GitHub
    shape("ghp_", ALNUM, 20, 0, 97),                 // GitHub
    shape("ghr_", ALNUM, 20, 0, 97),                 // GitHub
    shape("ghs_", WORD, 20, 0, 97),                  // GitHub
    shape("ghu_", ALNUM, 20, 0, 97),                 // GitHub
    shape("github_pat_", WORD, 22, 0, 98),           // GitHub
    shape("glagent-", WORD, 20, 0, 97),              // GitLab
    shape("glc_", BASE64, 32, 0, 92),                // Grafana Cloud
    shape("glcbt-", WORD, 20, 0, 97),                // GitLab
    shape("gldt-", WORD, 20, 0, 97),                 // GitLab
    shape("glft-", WORD, 20, 0, 95),                 // GitLab
    shape("glimt-", WORD, 20, 0, 95),                // GitLab
    shape("gloas-", WORD, 20, 0, 95),                // GitLab
    shape("glpat-", DOTTED, 18, 0, 97),              // GitLab
    shape("glptt-", WORD, 20, 0, 97),                // GitLab
    shape("glrt-", DOTTED, 18, 0, 97),               // GitLab
    shape("glsa_", WORD, 32, 0, 95),                 // Grafana
    shape("glsoat-", WORD, 20, 0, 95),               // GitLab
    shape("gsk_", ALNUM, 40, 0, 95),                 // Groq
    shape("hf_", ALNUM, 30, 40, 95),                 // Hugging Face
    shape("hvb.", WORD, 60, 0, 97),                  // Vault
    shape("hvr.", WORD, 60, 0, 95),                  // Vault
    shape("hvs.", WORD, 24, 0, 97),                  // Vault
    shape("ico-", ALNUM, 32, 32, 85),                // Infracost
    shape("key-", HEX, 32, 32, 90),                  // Mailgun
    shape("lin_api_", ALNUM, 32, 0, 97),             // Linear
    shape("lin_oauth_", ALNUM, 32, 0, 97),           // Linear
    shape("live_", ALNUM, 30, 64, 80),               // Mollie and others
    shape("lsv2_", WORD, 40, 0, 95),                 // LangSmith
    shape("mfa.", WORD, 80, 0, 85),                  // Discord
    shape("napi_", ALNUM, 40, 0, 90),                // Neon
    shape("nfp_", ALNUM, 36, 40, 95),                // Netlify
    shape("npm_", ALNUM, 30, 0, 97),                 // npm
    shape("ntn_", ALNUM, 40, 0, 95),                 // Notion
    shape("nvapi-", WORD, 50, 0, 95),                // NVIDIA
    shape("ops_eyJ", TOKENISH, 100, 0, 97),          // 1Password
    shape("oy2", ALNUM, 43, 43, 85),                 // NuGet
    shape("pat-eu1-", WORD, 32, 40, 95),             // HubSpot
    shape("pat-na1-", WORD, 32, 40, 95),             // HubSpot
    shape("pat-na2-", WORD, 32, 40, 95),             // HubSpot
    shape("patk", DOTTED, 70, 90, 70),
    shape("pcsk_", WORD, 50, 0, 95),                 // Pinecone
    shape("phx_", ALNUM, 40, 0, 92),                 // PostHog, personal
    shape("pnu_", ALNUM, 36, 36, 92),                // Prefect
    shape("pplx-", ALNUM, 40, 0, 95),                // Perplexity
    shape("pscale_oauth_", WORD, 30, 0, 97),         // PlanetScale
    shape("pscale_pw_", DOTTED, 30, 0, 97),          // PlanetScale
    shape("pscale_tkn_", DOTTED, 30, 0, 97),         // PlanetScale
    shape("pul-", HEX, 40, 40, 95),                  // Pulumi
    shape("pypi-AgEI", WORD, 50, 0, 98),             // PyPI
    shape("r8_", ALNUM, 37, 37, 92),                 // Replicate
    shape("rdme_", ALNUM, 60, 0, 92),                // ReadMe
    shape("re_", WORD, 30, 40, 75),                  // Resend
    shape("rk_live_", ALNUM, 16, 0, 97),             // Stripe, restricted
    shape("rk_test_", ALNUM, 16, 0, 92),             // Stripe
    shape("rubygems_", HEX, 48, 48, 97),             // RubyGems
    shape("rzp_live_", ALNUM, 14, 24, 85),           // Razorpay
    shape("sb_secret_", WORD, 20, 0, 97),            // Supabase
    shape("sbp_", HEX, 40, 40, 95),                  // Supabase
    shape("scw", WORD, 36, 36, 60),                  // Scaleway
    shape("sdk-", HEXDASH, 36, 36, 80),              // LaunchDarkly
    shape("secret-live-", WORD, 24, 0, 95),          // Stytch
    shape("secret_", ALNUM, 40, 48, 92),             // Notion
    shape("sgp_", WORD, 40, 0, 90),                  // Sourcegraph, Segment
    shape("shippo_live_", HEX, 40, 40, 95),          // Shippo
    shape("shpat_", HEX, 30, 0, 97),                 // Shopify
    shape("shpca_", HEX, 30, 0, 97),                 // Shopify
    shape("shppa_", HEX, 30, 0, 97),                 // Shopify
    shape("shpss_", HEX, 30, 0, 97),                 // Shopify
    shape("shptka_", HEX, 30, 0, 95),                // Shopify
    shape("sk-", WORD, 20, 0, 92),                   // OpenAI, Anthropic, OpenRouter and their kin
    shape("sk.eyJ", DOTTED, 40, 0, 95),              // Mapbox
    shape("sk_", ALNUM, 32, 64, 80),                 // ElevenLabs and others
    shape("sk_live_", WORD, 16, 0, 98),              // Stripe
    shape("sk_org_", WORD, 16, 0, 90),               // Stripe
    shape("sk_prod_", WORD, 16, 0, 92),
    shape("sk_test_", WORD, 16, 0, 92),              // Stripe, test
    shape("sl.", WORD, 100, 0, 85),                  // Dropbox
    shape("sntrys_", BASE64, 60, 0, 95),             // Sentry
    shape("sntryu_", HEX, 60, 68, 95),               // Sentry
    shape("sq0atp-", WORD, 20, 0, 97),               // Square
    shape("sq0csp-", WORD, 40, 0, 97),               // Square
    shape("sqa_", HEX, 40, 40, 92),                  // SonarQube
    shape("sqp_", HEX, 40, 40, 92),                  // SonarQube
    shape("squ_", HEX, 40, 40, 92),                  // SonarQube
    shape("tfp_", WORD, 40, 0, 92),                  // Typeform
    shape("tskey-", WORD, 24, 0, 95),                // Tailscale
    shape("tvly-", WORD, 28, 0, 92),                 // Tavily
    shape("whsec_", BASE64, 24, 0, 95),              // Stripe and Svix
    shape("xai-", ALNUM, 60, 0, 95),                 // xAI
    shape("xapp-", WORD, 24, 0, 97),                 // Slack
    shape("xkeysib-", WORD, 60, 0, 97),              // Brevo
    shape("xoxa-", WORD, 18, 0, 97),                 // Slack
    shape("xoxb-", WORD, 18, 0, 98),                 // Slack
    shape("xoxc-", WORD, 18, 0, 97),                 // Slack
    shape("xoxd-", TOKENISH, 24, 0, 97),             // Slack, cookie
    shape("xoxe-", WORD, 18, 0, 97),                 // Slack
    shape("xoxe.", DOTTED, 24, 0, 97),               // Slack
    shape("xoxp-", WORD, 18, 0, 98),                 // Slack
    shape("xoxr-", WORD, 18, 0, 97),                 // Slack
    shape("xoxs-", WORD, 18, 0, 97),                 // Slack
    shape("xsmtpsib-", WORD, 60, 0, 97),             // Brevo
    shape("y0_", WORD, 36, 64, 80),                  // Yandex
    shape("ya29.", DOTTED, 24, 0, 95),               // Google OAuth
];

/// Letters, digits and all that tokens hold.
const TOKENISH: u8 = crate::bytes::TOKEN;
/// Hexadecimal groups with dashes between them.
const HEXDASH: u8 = WORD;

/// For each first byte, where its shapes begin in the table; the entry after it says where they end.
static FIRST: [u16; 130] = firsts();

const fn firsts() -> [u16; 130] {
    let mut table = [0u16; 130];
    let mut byte = 0usize;
    let mut line = 0usize;
    while byte < 129 {
        #[expect(
            clippy::indexing_slicing,
            reason = "bounded by the loops, and this runs in the compiler"
        )]
        {
            while line < SHAPES.len() && (SHAPES[line].prefix.as_bytes()[0] as usize) < byte {
                line += 1;
            }
            table[byte] = line as u16;
        }
        byte += 1;
    }
    table[129] = SHAPES.len() as u16;
    table
}

/// The shapes whose prefix begins with a byte.
#[inline]
pub(crate) fn beginning(byte: u8) -> &'static [Shape] {
    let place = usize::from(byte);
    let (Some(start), Some(end)) = (FIRST.get(place), FIRST.get(place + 1)) else { return &[] };
    SHAPES.get(usize::from(*start)..usize::from(*end)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_prefix_is_found_by_its_first_byte() {
        for pair in SHAPES.windows(2) {
            assert!(
                pair[0].prefix < pair[1].prefix,
                "{} before {}",
                pair[0].prefix,
                pair[1].prefix
            );
        }
        for shape in SHAPES {
            let first = shape.prefix.as_bytes()[0];
            assert!(
                beginning(first).iter().any(|found| found.prefix == shape.prefix),
                "{}",
                shape.prefix
            );
        }
        assert!(beginning(b'!').is_empty());
        assert!(beginning(0xff).is_empty());
    }
}
