//! Words near which a secret stands, in the languages that support desks see.
//!
//! Words are folded: no case, no accents. Of a compound that is spelled as one word, such as
//! `accessToken`, the whole is in the table.

use kit::words::Words;

/// A password is announced.
pub(crate) const PASSWORD: u64 = 1;
/// A token or a secret is announced.
pub(crate) const TOKEN: u64 = 1 << 1;
/// A key is announced: of a door, of a table, or of an API.
pub(crate) const KEY: u64 = 1 << 2;
/// Makes a key or token before which it stands one that opens something.
pub(crate) const MODIFIER: u64 = 1 << 3;
/// A secret is announced without doubt.
pub(crate) const STRONG: u64 = 1 << 4;
/// Says that what follows is the value.
pub(crate) const COPULA: u64 = 1 << 5;
/// Several words that are a secret together.
pub(crate) const PHRASE: u64 = 1 << 6;
/// A word of a phrase, after a word that says what phrase.
pub(crate) const WORDS: u64 = 1 << 7;
/// Code, pin: with a word before it that says that it proves somebody.
pub(crate) const CODE: u64 = 1 << 8;
/// Says of a code that it proves somebody.
pub(crate) const PROOF: u64 = 1 << 9;
/// The scheme of a bearer.
pub(crate) const BEARER: u64 = 1 << 10;
/// The scheme of a name and a password.
pub(crate) const BASIC: u64 = 1 << 11;
/// The header of credentials.
pub(crate) const AUTHORIZATION: u64 = 1 << 12;
/// The header of cookies.
pub(crate) const COOKIE: u64 = 1 << 13;
/// A name with a password.
pub(crate) const LOGIN: u64 = 1 << 14;
/// Makes a key or token before which it stands one that opens nothing.
pub(crate) const HARMLESS: u64 = 1 << 15;
/// The value is something else: a digest, a version.
pub(crate) const DIGEST: u64 = 1 << 16;
/// A program that takes a name and a password after `-u`.
pub(crate) const CURL: u64 = 1 << 17;
/// A word that is no password though it stands where one would.
pub(crate) const NOVALUE: u64 = 1 << 18;

/// Stands in the first line of a private key.
pub(crate) const ARMOUR: u64 = 1 << 19;

/// The table.
pub(crate) static CUES: Words<1024> = Words::new(ENTRIES);

#[rustfmt::skip]
static ENTRIES: &[(&str, u64)] = &[
    // A password.
    ("password", PASSWORD), ("passwords", PASSWORD), ("passwd", PASSWORD), ("passwrd", PASSWORD), ("pasword", PASSWORD), ("passord", PASSWORD),
    ("pwd", PASSWORD), ("pw", PASSWORD), ("psw", PASSWORD), ("pswd", PASSWORD), ("passcode", PASSWORD), ("userpassword", PASSWORD),
    ("dbpassword", PASSWORD), ("dbpass", PASSWORD), ("adminpassword", PASSWORD), ("rootpassword", PASSWORD), ("mysqlpassword", PASSWORD),
    ("pgpassword", PASSWORD), ("newpassword", PASSWORD), ("oldpassword", PASSWORD), ("temppassword", PASSWORD), ("smtppassword", PASSWORD),
    ("passwort", PASSWORD), ("passworter", PASSWORD), ("kennwort", PASSWORD), ("zugangswort", PASSWORD), ("losungswort", PASSWORD), ("wlanschlussel", PASSWORD),
    ("wifipasswort", PASSWORD), ("wlanpasswort", PASSWORD), ("initialpasswort", PASSWORD), ("startpasswort", PASSWORD), ("masterpasswort", PASSWORD),
    ("contrasena", PASSWORD), ("contrasenas", PASSWORD), ("contrasenya", PASSWORD), ("contrasinal", PASSWORD), ("clave", PASSWORD), ("pasahitza", PASSWORD),
    ("mdp", PASSWORD), ("passe", PASSWORD), ("khau", PASSWORD), ("sandi", PASSWORD), ("motdepasse", PASSWORD), ("senha", PASSWORD), ("senhas", PASSWORD), ("palavrapasse", PASSWORD),
    ("wachtwoord", PASSWORD), ("wachtwoorden", PASSWORD), ("haslo", PASSWORD), ("hasla", PASSWORD), ("haslem", PASSWORD),
    ("losenord", PASSWORD), ("losenordet", PASSWORD), ("passordet", PASSWORD), ("adgangskode", PASSWORD), ("adgangskoden", PASSWORD), ("kodeord", PASSWORD), ("salasana", PASSWORD),
    ("salasanani", PASSWORD), ("jelszo", PASSWORD), ("jelszavam", PASSWORD), ("heslo", PASSWORD), ("parola", PASSWORD), ("parolam", PASSWORD), ("parole", PASSWORD),
    ("sifre", PASSWORD), ("sifrem", PASSWORD), ("sifresi", PASSWORD), ("lozinka", PASSWORD), ("zaporka", PASSWORD), ("geslo", PASSWORD), ("lykilord", PASSWORD),
    ("slaptazodis", PASSWORD), ("parool", PASSWORD), ("пароль", PASSWORD), ("пароля", PASSWORD), ("паролем", PASSWORD), ("парола", PASSWORD), ("лозинка", PASSWORD),
    ("κωδικος", PASSWORD), ("συνθηματικο", PASSWORD), ("סיסמה", PASSWORD), ("סיסמא", PASSWORD), ("الرمز", PASSWORD), ("المرور", PASSWORD), ("पासवर्ड", PASSWORD),
    ("密码", PASSWORD), ("密碼", PASSWORD), ("口令", PASSWORD), ("パスワード", PASSWORD), ("暗証番号", PASSWORD), ("비밀번호", PASSWORD), ("암호", PASSWORD), ("패스워드", PASSWORD), ("katasandi", PASSWORD),
    // A token or a secret.
    ("token", TOKEN), ("tokens", TOKEN), ("secret", TOKEN | MODIFIER), ("secrets", TOKEN), ("jeton", TOKEN), ("jwt", TOKEN), ("pat", TOKEN), ("credential", TOKEN), ("geheimnis", TOKEN), ("secreto", TOKEN),
    ("токен", TOKEN), ("секрет", TOKEN), ("令牌", TOKEN), ("トークン", TOKEN), ("토큰", TOKEN), ("webhook", MODIFIER), ("zugangstoken", STRONG), ("zugriffstoken", STRONG),
    // A key.
    ("key", KEY), ("keys", KEY), ("schlussel", KEY), ("llave", KEY), ("cle", KEY), ("chave", KEY), ("chiave", KEY), ("sleutel", KEY), ("klucz", KEY), ("nyckel", KEY), ("nokkel", KEY), ("nogle", KEY),
    ("kulcs", KEY), ("klic", KEY), ("avain", KEY), ("anahtar", KEY), ("anahtari", KEY), ("cheie", KEY), ("ключ", KEY), ("密钥", KEY | STRONG), ("密鑰", KEY | STRONG), ("キー", KEY), ("키", KEY),
    // What makes it one that opens something.
    ("api", MODIFIER), ("access", MODIFIER), ("client", MODIFIER), ("private", MODIFIER | ARMOUR), ("putty", ARMOUR), ("auth", MODIFIER), ("authentication", MODIFIER),
    ("signing", MODIFIER), ("encryption", MODIFIER), ("refresh", MODIFIER), ("session", MODIFIER), ("bot", MODIFIER), ("service", MODIFIER), ("master", MODIFIER), ("personal", MODIFIER),
    ("deploy", MODIFIER), ("ssh", MODIFIER), ("account", MODIFIER), ("storage", MODIFIER), ("shared", MODIFIER), ("consumer", MODIFIER), ("app", MODIFIER), ("admin", MODIFIER), ("live", MODIFIER),
    ("acceso", MODIFIER), ("acces", MODIFIER), ("acesso", MODIFIER), ("accesso", MODIFIER), ("dostepu", MODIFIER), ("webhooks", MODIFIER), ("hmac", MODIFIER), ("oauth", MODIFIER),
    ("intercom", MODIFIER), ("stripe", MODIFIER), ("aws", MODIFIER), ("azure", MODIFIER), ("github", MODIFIER), ("gitlab", MODIFIER), ("slack", MODIFIER), ("openai", MODIFIER), ("anthropic", MODIFIER),
    ("twilio", MODIFIER), ("datadog", MODIFIER), ("algolia", MODIFIER), ("cloudflare", MODIFIER), ("heroku", MODIFIER), ("zendesk", MODIFIER), ("mailgun", MODIFIER), ("hubspot", MODIFIER), ("shopify", MODIFIER),
    ("apikey", STRONG), ("apikeys", STRONG), ("apitoken", STRONG), ("apisecret", STRONG), ("secretkey", STRONG), ("accesskey", STRONG), ("accesstoken", STRONG), ("authtoken", STRONG), ("authkey", STRONG),
    ("refreshtoken", STRONG), ("idtoken", STRONG), ("clientsecret", STRONG), ("appsecret", STRONG), ("consumersecret", STRONG), ("privatekey", STRONG), ("accountkey", STRONG), ("sharedaccesskey", STRONG),
    ("sharedsecret", STRONG), ("secretaccesskey", STRONG), ("encryptionkey", STRONG), ("signingkey", STRONG), ("signingsecret", STRONG), ("masterkey", STRONG), ("bottoken", STRONG), ("sessiontoken", STRONG), ("usertoken", STRONG),
    ("bearertoken", STRONG), ("servicekey", STRONG), ("licensekey", 0), ("webhooksecret", STRONG), ("apischlussel", STRONG), ("zugriffsschlussel", STRONG), ("sicherheitsschlussel", STRONG), ("sshkey", STRONG),
    // Says that the value follows.
    ("is", COPULA), ("are", COPULA), ("was", COPULA), ("s", COPULA), ("ist", COPULA), ("lautet", COPULA), ("lautete", COPULA), ("war", COPULA), ("es", COPULA), ("era", COPULA), ("son", COPULA), ("est", COPULA), ("etait", COPULA),
    ("e", COPULA), ("eh", COPULA), ("jest", COPULA), ("to", COPULA), ("ar", COPULA), ("er", COPULA), ("on", COPULA), ("je", COPULA), ("becomes", COPULA), ("equals", COPULA), ("namely", COPULA),
    ("это", COPULA), ("是", COPULA), ("为", COPULA), ("為", COPULA), ("は", COPULA), ("는", COPULA), ("은", COPULA), ("using", COPULA), ("with", COPULA), ("used", COPULA),
    // Phrases.
    ("passphrase", PHRASE), ("passphrases", PHRASE), ("mnemonic", PHRASE), ("seedphrase", PHRASE), ("seed", PROOF | WORDS), ("phrase", WORDS), ("phrases", WORDS), ("frase", WORDS), ("satz", WORDS),
    // Codes.
    ("code", CODE), ("codes", CODE), ("kod", CODE), ("kode", CODE), ("codigo", CODE), ("codice", CODE), ("код", CODE), ("验证码", CODE | PROOF), ("驗證碼", CODE | PROOF), ("認証コード", CODE | PROOF), ("인증번호", CODE | PROOF), ("인증", PROOF),
    ("otp", CODE | PROOF), ("totp", CODE | PROOF), ("tan", CODE), ("pin", CODE), ("bestatigungscode", CODE | PROOF), ("sicherheitscode", CODE | PROOF), ("einmalcode", CODE | PROOF), ("einmalpasswort", PASSWORD), ("verifizierungscode", CODE | PROOF),
    ("verification", PROOF), ("verifizierung", PROOF), ("verificacion", PROOF), ("verificacao", PROOF), ("verifica", PROOF), ("weryfikacyjny", PROOF), ("подтверждения", PROOF),
    ("2fa", PROOF), ("mfa", PROOF), ("time", PROOF), ("authenticator", PROOF), ("backup", PROOF), ("recovery", PROOF), ("emergency", PROOF), ("sms", PROOF), ("signin", PROOF), ("device", 0), ("de", 0),
    // Headers and programs.
    ("bearer", BEARER | MODIFIER), ("basic", BASIC), ("authorization", AUTHORIZATION), ("cookie", COOKIE), ("cookies", COOKIE), ("phpsessid", STRONG), ("jsessionid", STRONG), ("sessionid", STRONG), ("curl", CURL), ("wget", CURL), ("apikeyauth", STRONG),
    ("authtokens", STRONG), ("xapikey", STRONG),
    // Names with passwords.
    ("login", LOGIN | PROOF), ("logins", LOGIN), ("credentials", LOGIN), ("creds", LOGIN), ("zugangsdaten", LOGIN), ("anmeldedaten", LOGIN), ("logindaten", LOGIN), ("credenciales", LOGIN), ("identifiants", LOGIN), ("credenciais", LOGIN), ("credenziali", LOGIN), ("inloggegevens", LOGIN), ("pass", LOGIN),
    // What opens nothing.
    ("idempotency", HARMLESS), ("cache", HARMLESS), ("primary", HARMLESS), ("foreign", HARMLESS), ("partition", HARMLESS), ("sort", HARMLESS), ("public", HARMLESS), ("publishable", HARMLESS), ("issue", HARMLESS), ("translation", HARMLESS), ("object", HARMLESS),
    ("sorting", HARMLESS), ("routing", HARMLESS), ("product", HARMLESS), ("message", HARMLESS), ("request", HARMLESS), ("correlation", HARMLESS), ("trace", HARMLESS), ("page", HARMLESS), ("pagination", HARMLESS), ("cursor", HARMLESS), ("continuation", HARMLESS), ("next", HARMLESS), ("site", HARMLESS), ("csrf", HARMLESS), ("design", HARMLESS), ("s3", HARMLESS),
    // Something else.
    ("commit", DIGEST), ("sha", DIGEST), ("sha1", DIGEST | NOVALUE), ("sha256", DIGEST | NOVALUE), ("sha512", DIGEST | NOVALUE), ("md5", DIGEST | NOVALUE), ("hash", DIGEST), ("checksum", DIGEST), ("build", DIGEST), ("revision", DIGEST), ("digest", DIGEST), ("etag", DIGEST), ("fingerprint", DIGEST), ("integrity", DIGEST), ("version", DIGEST),
    ("order", DIGEST), ("invoice", DIGEST), ("bestellung", DIGEST), ("rechnung", DIGEST), ("pedido", DIGEST), ("commande", DIGEST), ("uuid", DIGEST), ("id", DIGEST), ("ids", DIGEST), ("ticket", DIGEST), ("tracking", DIGEST | HARMLESS), ("sku", DIGEST), ("part", DIGEST), ("ordine", DIGEST),
    ("base64", NOVALUE), ("oauth2", NOVALUE), ("utf8", NOVALUE), ("http2", NOVALUE), ("office365", NOVALUE), ("win10", NOVALUE), ("win11", NOVALUE), ("windows10", NOVALUE), ("bcrypt", NOVALUE), ("argon2", NOVALUE), ("argon2id", NOVALUE), ("oauth1", NOVALUE), ("saml2", NOVALUE), ("aes256", NOVALUE), ("rs256", NOVALUE), ("hs256", NOVALUE), ("1password", NOVALUE), ("web3", NOVALUE), ("b2b", NOVALUE), ("mp3", NOVALUE),
    ("true", NOVALUE), ("false", NOVALUE), ("null", NOVALUE), ("none", NOVALUE), ("nil", NOVALUE), ("undefined", NOVALUE), ("empty", NOVALUE), ("required", NOVALUE), ("optional", NOVALUE), ("reset", NOVALUE), ("incorrect", NOVALUE), ("invalid", NOVALUE), ("wrong", NOVALUE), ("expired", NOVALUE), ("missing", NOVALUE), ("string", NOVALUE), ("changed", NOVALUE), ("forgotten", NOVALUE), ("unknown", NOVALUE), ("hidden", NOVALUE), ("redacted", NOVALUE), ("confidential", NOVALUE), ("yes", NOVALUE), ("no", NOVALUE), ("never", NOVALUE), ("always", NOVALUE), ("here", NOVALUE), ("below", NOVALUE), ("above", NOVALUE), ("nothing", NOVALUE), ("same", NOVALUE), ("rejected", NOVALUE), ("falsch", NOVALUE), ("vergessen", NOVALUE), ("incorrecta", NOVALUE), ("oublie", NOVALUE), ("oubli", NOVALUE), ("weak", NOVALUE), ("strong", NOVALUE), ("ok", NOVALUE), ("done", NOVALUE), ("thanks", NOVALUE), ("please", NOVALUE), ("set", NOVALUE), ("unset", NOVALUE), ("not", NOVALUE), ("unbekannt", NOVALUE), ("help", NOVALUE), ("forgot", NOVALUE), ("change", NOVALUE), ("enabled", NOVALUE), ("disabled", NOVALUE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_in_the_table_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (word, class) in ENTRIES {
            assert!(seen.insert(word), "{word} twice");
            assert_eq!(kit::unfold::fold_text(word), *word);
            assert!(*class < 1 << 20);
        }
    }
}
