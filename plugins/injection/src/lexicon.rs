//! The words of instructions to an agent, in the languages that support desks see, by what they mean.
//!
//! Rules speak of meanings, never of words, so a new language is a matter of this table. Words are
//! folded (no case, no accents). Words whose ordinary use is the same in a customer's request are
//! kept out: `orders` is what a shop sends.

use kit::words::Words;

/// Take no notice of.
pub(crate) const IGNORE: u64 = 1;
/// What was said before.
pub(crate) const PRIOR: u64 = 1 << 1;
/// All of it; yours.
pub(crate) const EVERY: u64 = 1 << 2;
/// Instructions, rules, a prompt.
pub(crate) const ORDERS: u64 = 1 << 3;
/// Mine: a customer who speaks of their own words.
pub(crate) const MINE: u64 = 1 << 4;
/// A program that reads this.
pub(crate) const AGENT: u64 = 1 << 5;
/// Call, run, use.
pub(crate) const CALL: u64 = 1 << 6;
/// Not, never, without.
pub(crate) const NOT: u64 = 1 << 7;
/// Tell, mention, show.
pub(crate) const TELL: u64 = 1 << 8;
/// The person for whom the agent works.
pub(crate) const USER: u64 = 1 << 9;
/// Send, forward, upload.
pub(crate) const SEND: u64 = 1 << 10;
/// What others want: credentials, contacts, conversations.
pub(crate) const DATA: u64 = 1 << 11;
/// Secretly, silently.
pub(crate) const SECRETLY: u64 = 1 << 12;
/// Change, publish, delete.
pub(crate) const CHANGE: u64 = 1 << 13;
/// Article, help center, macro.
pub(crate) const ARTICLE: u64 = 1 << 14;
/// Must, important, immediately.
pub(crate) const MUST: u64 = 1 << 15;
/// Reveal, print, repeat.
pub(crate) const REVEAL: u64 = 1 << 16;
/// The agent's prompt.
pub(crate) const PROMPT: u64 = 1 << 17;
/// Instead, only, from now on.
pub(crate) const INSTEAD: u64 = 1 << 18;
/// The last word of some phrase.
pub(crate) const LAST: u64 = 1 << 19;
/// Tool, function.
pub(crate) const TOOL: u64 = 1 << 20;
/// System, developer, administrator: who may give orders.
pub(crate) const SYSTEM: u64 = 1 << 21;
/// Freed of rules: jailbreak.
pub(crate) const FREED: u64 = 1 << 22;
/// What a customer asks to be ignored: mails, tickets.
pub(crate) const MAIL: u64 = 1 << 23;

/// Follow, obey.
pub(crate) const OBEY: u64 = 1 << 24;
/// Stop, cancelled.
pub(crate) const STOP: u64 = 1 << 25;
/// Hide, secret.
pub(crate) const HIDE: u64 = 1 << 26;
/// Anyone, nobody.
pub(crate) const PEOPLE: u64 = 1 << 27;
/// Authorised, approved.
pub(crate) const ALLOWED: u64 = 1 << 28;
/// Confirmation, permission, to ask.
pub(crate) const CONFIRM: u64 = 1 << 29;

/// The table.
pub(crate) static LEXICON: Words<2048> = Words::new(ENTRIES);

#[rustfmt::skip]
static ENTRIES: &[(&str, u64)] = &[
    // Take no notice of.
    ("ignore", IGNORE), ("ignoring", IGNORE), ("disregard", IGNORE), ("disregarding", IGNORE), ("forget", IGNORE), ("override", IGNORE), ("overrides", IGNORE), ("overriding", IGNORE), ("bypass", IGNORE), ("overlook", IGNORE), ("neglect", IGNORE), ("discard", IGNORE), ("supersede", IGNORE), ("supersedes", IGNORE), ("unlearn", IGNORE),
    ("ignoriere", IGNORE), ("ignorier", IGNORE), ("ignorieren", IGNORE), ("ignoriert", IGNORE), ("missachte", IGNORE), ("missachten", IGNORE), ("vergiss", IGNORE), ("vergesst", IGNORE), ("vergessen", IGNORE), ("umgehe", IGNORE),
    ("ignora", IGNORE), ("ignorar", IGNORE), ("ignoren", IGNORE), ("ignorad", IGNORE), ("olvida", IGNORE), ("olvide", IGNORE), ("olvidar", IGNORE), ("olvidate", IGNORE), ("omite", IGNORE), ("descarta", IGNORE),
    ("ignorez", IGNORE), ("ignorer", IGNORE), ("oublie", IGNORE), ("oubliez", IGNORE), ("oublier", IGNORE), ("outrepasse", IGNORE), ("ignorare", IGNORE), ("ignorate", IGNORE), ("ignori", IGNORE), ("dimentica", IGNORE), ("dimenticare", IGNORE), ("trascura", IGNORE),
    ("esqueca", IGNORE), ("esquece", IGNORE), ("esquecer", IGNORE), ("desconsidere", IGNORE), ("desconsidera", IGNORE), ("negeer", IGNORE), ("negeren", IGNORE), ("vergeet", IGNORE), ("zignoruj", IGNORE), ("ignoruj", IGNORE), ("zapomnij", IGNORE), ("pomin", IGNORE),
    ("ignorera", IGNORE), ("glom", IGNORE), ("bortse", IGNORE), ("glem", IGNORE), ("unohda", IGNORE), ("ohita", IGNORE), ("zapomen", IGNORE), ("felejtsd", IGNORE), ("hagyd", IGNORE), ("yoksay", IGNORE), ("unut", IGNORE), ("gormezden", IGNORE), ("ignorati", IGNORE), ("abaikan", IGNORE),
    ("игнорируи", IGNORE), ("игнорируите", IGNORE), ("игнорировать", IGNORE), ("проигнорируи", IGNORE), ("забудь", IGNORE), ("забудьте", IGNORE), ("игноруи", IGNORE), ("αγνοησε", IGNORE), ("تجاهل", IGNORE), ("התעלם", IGNORE),
    ("忽略", IGNORE), ("无视", IGNORE), ("無視", IGNORE), ("忘记", IGNORE), ("忘記", IGNORE), ("忽视", IGNORE), ("忘れて", IGNORE), ("忘れろ", IGNORE), ("무시", IGNORE), ("잊어", IGNORE), ("잊고", IGNORE),
    // What was said before.
    ("previous", PRIOR), ("previously", PRIOR), ("prior", PRIOR), ("above", PRIOR | LAST), ("earlier", PRIOR), ("preceding", PRIOR), ("foregoing", PRIOR), ("existing", PRIOR), ("original", PRIOR), ("initial", PRIOR),
    ("vorherigen", PRIOR), ("vorherige", PRIOR), ("vorigen", PRIOR), ("bisherigen", PRIOR), ("obigen", PRIOR), ("vorangegangenen", PRIOR), ("fruheren", PRIOR), ("ursprunglichen", PRIOR),
    ("anteriores", PRIOR), ("anterior", PRIOR), ("previas", PRIOR), ("previos", PRIOR), ("precedentes", PRIOR), ("precedente", PRIOR), ("precedent", PRIOR), ("anterieures", PRIOR), ("dessus", PRIOR), ("precedenti", PRIOR), ("anteriori", PRIOR), ("vorige", PRIOR), ("voorgaande", PRIOR), ("eerdere", PRIOR), ("bovenstaande", PRIOR),
    ("poprzednie", PRIOR), ("wczesniejsze", PRIOR), ("powyzsze", PRIOR), ("tidigare", PRIOR), ("foregaende", PRIOR), ("tidligere", PRIOR), ("aiemmat", PRIOR), ("predchozi", PRIOR), ("korabbi", PRIOR), ("onceki", PRIOR), ("sebelumnya", PRIOR),
    ("предыдущие", PRIOR), ("предыдущих", PRIOR), ("прежние", PRIOR), ("попередні", PRIOR), ("προηγουμενες", PRIOR), ("السابقة", PRIOR), ("之前", PRIOR), ("以前", PRIOR), ("上述", PRIOR), ("以上", PRIOR), ("先前", PRIOR), ("これまで", PRIOR), ("前の", PRIOR), ("上記", PRIOR), ("이전", PRIOR), ("위의", PRIOR), ("기존", PRIOR),
    // All of it, yours.
    ("all", EVERY), ("any", EVERY), ("every", EVERY), ("everything", EVERY), ("your", EVERY), ("alle", EVERY), ("allen", EVERY), ("deine", EVERY), ("ihre", EVERY), ("alles", EVERY), ("todas", EVERY), ("todos", EVERY), ("todo", EVERY), ("tus", EVERY), ("toutes", EVERY), ("tous", EVERY), ("tout", EVERY), ("tes", EVERY), ("vos", EVERY), ("tutte", EVERY), ("tutti", EVERY), ("tue", EVERY), ("suas", EVERY), ("wszystkie", EVERY), ("все", EVERY), ("всех", EVERY), ("свои", EVERY), ("butun", EVERY), ("tum", EVERY), ("所有", EVERY), ("すべて", EVERY), ("全て", EVERY), ("모든", EVERY),
    // Instructions.
    ("instructions", ORDERS | LAST), ("instruction", ORDERS), ("directives", ORDERS), ("directive", ORDERS), ("guidelines", ORDERS), ("rules", ORDERS), ("commands", ORDERS), ("guardrails", ORDERS), ("restrictions", ORDERS | LAST), ("constraints", ORDERS), ("programming", ORDERS), ("safeguards", ORDERS),
    ("anweisungen", ORDERS), ("anweisung", ORDERS), ("instruktionen", ORDERS), ("vorgaben", ORDERS), ("regeln", ORDERS), ("befehle", ORDERS), ("richtlinien", ORDERS), ("instrucciones", ORDERS), ("instruccion", ORDERS), ("indicaciones", ORDERS), ("reglas", ORDERS), ("directrices", ORDERS), ("consignes", ORDERS), ("consigne", ORDERS), ("regles", ORDERS),
    ("istruzioni", ORDERS), ("indicazioni", ORDERS), ("regole", ORDERS), ("direttive", ORDERS), ("instrucoes", ORDERS), ("regras", ORDERS), ("diretrizes", ORDERS), ("instructies", ORDERS), ("aanwijzingen", ORDERS), ("regels", ORDERS), ("instrukcje", ORDERS), ("polecenia", ORDERS), ("zasady", ORDERS), ("instruktioner", ORDERS), ("anvisningar", ORDERS), ("anvisninger", ORDERS), ("instruksjoner", ORDERS),
    ("ohjeet", ORDERS), ("ohjeita", ORDERS), ("pokyny", ORDERS), ("instrukce", ORDERS), ("utasitasokat", ORDERS), ("utasitast", ORDERS), ("talimatlari", ORDERS), ("talimatlar", ORDERS), ("instructiunile", ORDERS), ("instruksi", ORDERS), ("perintah", ORDERS), ("инструкции", ORDERS), ("инструкциями", ORDERS), ("указания", ORDERS), ("правила", ORDERS), ("інструкціі", ORDERS), ("οδηγιες", ORDERS), ("التعليمات", ORDERS), ("تعليمات", ORDERS), ("ההוראות", ORDERS),
    ("指令", ORDERS), ("指示", ORDERS), ("规则", ORDERS), ("提示词", ORDERS | PROMPT), ("命令", ORDERS), ("ルール", ORDERS), ("プロンプト", ORDERS | PROMPT), ("지시", ORDERS), ("지시사항", ORDERS), ("지침", ORDERS), ("명령", ORDERS), ("프롬프트", ORDERS | PROMPT),
    ("prompt", ORDERS | PROMPT | LAST), ("prompts", ORDERS | PROMPT), ("systemprompt", ORDERS | PROMPT), ("промпт", ORDERS | PROMPT),
    // A customer's own words.
    ("my", MINE), ("mine", MINE), ("our", MINE), ("i", MINE), ("meine", MINE), ("meinen", MINE), ("meiner", MINE), ("unsere", MINE), ("mis", MINE), ("mi", MINE), ("nuestro", MINE), ("mon", MINE), ("mes", MINE), ("ma", MINE), ("notre", MINE), ("mio", MINE), ("mia", MINE), ("mie", MINE), ("minha", MINE), ("minhas", MINE), ("meu", MINE), ("mijn", MINE), ("onze", MINE), ("moje", MINE), ("мои", MINE), ("мое", MINE), ("我的", MINE), ("私の", MINE), ("제", MINE),
    ("email", MAIL), ("mail", MAIL), ("emails", MAIL), ("ticket", MAIL), ("message", MAIL | LAST), ("messages", MAIL), ("request", MAIL), ("nachricht", MAIL), ("anfrage", MAIL), ("correo", MAIL), ("mensaje", MAIL), ("messaggio", MAIL), ("bericht", MAIL), ("wiadomosc", MAIL), ("письмо", MAIL), ("邮件", MAIL), ("メール", MAIL), ("메일", MAIL), ("delivery", MAIL), ("assembly", MAIL), ("installation", MAIL),
    // A program that reads this.
    ("ai", AGENT | LAST), ("llm", AGENT), ("gpt", AGENT), ("chatgpt", AGENT), ("claude", AGENT), ("gemini", AGENT), ("copilot", AGENT), ("assistant", AGENT | LAST), ("assistants", AGENT), ("chatbot", AGENT), ("ki", AGENT), ("ia", AGENT), ("asistente", AGENT), ("assistente", AGENT), ("assistent", AGENT), ("agent", AGENT | LAST), ("agents", AGENT | LAST), ("bot", AGENT), ("model", AGENT | LAST), ("asystent", AGENT), ("ассистент", AGENT), ("助手", AGENT), ("アシスタント", AGENT), ("어시스턴트", AGENT),
    // Call.
    ("call", CALL), ("calling", CALL), ("invoke", CALL), ("run", CALL), ("execute", CALL), ("use", CALL), ("using", CALL), ("trigger", CALL), ("rufe", CALL), ("nutze", CALL), ("verwende", CALL), ("fuhre", CALL), ("llama", CALL), ("usa", CALL), ("ejecuta", CALL), ("utiliza", CALL), ("appelle", CALL), ("appelez", CALL), ("utilise", CALL), ("utilisez", CALL), ("chiama", CALL), ("esegui", CALL), ("chame", CALL), ("roep", CALL), ("gebruik", CALL), ("wywolaj", CALL), ("uzyj", CALL), ("вызови", CALL), ("используи", CALL), ("выполни", CALL), ("调用", CALL), ("使用", CALL), ("実行", CALL), ("呼び出", CALL), ("호출", CALL), ("실행", CALL),
    ("tool", TOOL | LAST), ("tools", TOOL | LAST), ("function", TOOL), ("werkzeug", TOOL), ("herramienta", TOOL), ("outil", TOOL), ("strumento", TOOL), ("ferramenta", TOOL), ("narzedzie", TOOL), ("инструмент", TOOL), ("工具", TOOL), ("ツール", TOOL), ("도구", TOOL),
    // Not.
    ("not", NOT), ("don", NOT), ("dont", NOT), ("never", NOT), ("without", NOT), ("nicht", NOT), ("niemals", NOT), ("ohne", NOT), ("kein", NOT), ("no", NOT), ("nunca", NOT), ("sin", NOT), ("ne", NOT), ("pas", NOT), ("jamais", NOT), ("sans", NOT), ("non", NOT), ("mai", NOT), ("senza", NOT), ("nao", NOT), ("sem", NOT), ("niet", NOT), ("zonder", NOT), ("nie", NOT), ("bez", NOT), ("inte", NOT), ("ikke", NOT), ("не", NOT), ("никогда", NOT), ("без", NOT), ("不要", NOT), ("不能", NOT), ("别", NOT), ("ないで", NOT), ("하지", NOT), ("말고", NOT),
    // Tell.
    ("tell", TELL), ("telling", TELL), ("mention", TELL), ("mentioning", TELL), ("inform", TELL), ("informing", TELL), ("notify", TELL), ("notifying", TELL), ("disclose", TELL | REVEAL), ("alert", TELL), ("warn", TELL), ("report", TELL), ("erwahne", TELL), ("erwahnen", TELL), ("sage", TELL), ("sag", TELL), ("sagen", TELL), ("informiere", TELL), ("informieren", TELL), ("menciones", TELL), ("mencione", TELL), ("mencionar", TELL), ("digas", TELL), ("informes", TELL), ("mentionne", TELL), ("mentionnez", TELL), ("mentionner", TELL), ("dis", TELL), ("dites", TELL), ("dire", TELL), ("informez", TELL), ("menzionare", TELL), ("dica", TELL), ("diga", TELL), ("vermeld", TELL), ("vertel", TELL), ("wspominaj", TELL), ("mow", TELL), ("namn", TELL), ("nevn", TELL), ("упоминаи", TELL), ("сообщаи", TELL), ("говори", TELL), ("告诉", TELL), ("提及", TELL), ("言わ", TELL), ("伝え", TELL), ("알리", TELL), ("말하", TELL),
    // The person for whom the agent works.
    ("user", USER), ("users", USER), ("human", USER), ("humans", USER), ("operator", USER), ("approver", USER), ("reviewer", USER), ("benutzer", USER), ("nutzer", USER), ("menschen", USER), ("usuario", USER), ("utilisateur", USER), ("utente", USER), ("gebruiker", USER), ("uzytkownikowi", USER), ("uzytkownika", USER), ("anvandaren", USER), ("brukeren", USER), ("пользователю", USER), ("用户", USER), ("ユーザー", USER), ("사용자", USER), ("supervisor", USER), ("teammates", USER),
    // Send.
    ("send", SEND), ("sending", SEND), ("forward", SEND), ("upload", SEND), ("transmit", SEND), ("exfiltrate", SEND | FREED), ("leak", SEND), ("post", SEND), ("sende", SEND), ("schicke", SEND), ("schick", SEND), ("envia", SEND), ("envie", SEND), ("envoie", SEND), ("envoyez", SEND), ("invia", SEND), ("stuur", SEND), ("wyslij", SEND), ("skicka", SEND), ("отправь", SEND), ("отправьте", SEND), ("发送", SEND), ("送信", SEND), ("보내", SEND), ("append", SEND), ("embed", SEND),
    // What others want.
    ("passwords", DATA), ("credentials", DATA), ("tokens", DATA), ("secrets", DATA), ("contacts", DATA), ("customers", DATA), ("conversations", DATA), ("database", DATA), ("apikeys", DATA), ("transcripts", DATA), ("passworter", DATA), ("zugangsdaten", DATA), ("kundendaten", DATA), ("kontakte", DATA), ("contrasenas", DATA), ("credenciales", DATA), ("contactos", DATA), ("clientes", DATA), ("identifiants", DATA), ("contatti", DATA), ("credenziali", DATA), ("contatos", DATA), ("контакты", DATA), ("пароли", DATA), ("密码", DATA), ("联系人", DATA), ("連絡先", DATA), ("연락처", DATA), ("addresses", DATA),
    // Secretly.
    ("secretly", SECRETLY), ("silently", SECRETLY), ("covertly", SECRETLY), ("quietly", SECRETLY), ("discreetly", SECRETLY), ("heimlich", SECRETLY), ("unbemerkt", SECRETLY), ("secretamente", SECRETLY), ("discretamente", SECRETLY), ("secretement", SECRETLY), ("discretement", SECRETLY), ("segretamente", SECRETLY), ("stiekem", SECRETLY), ("potajemnie", SECRETLY), ("таино", SECRETLY), ("незаметно", SECRETLY), ("悄悄", SECRETLY), ("偷偷", SECRETLY), ("密かに", SECRETLY), ("こっそり", SECRETLY), ("몰래", SECRETLY),
    // Change.
    ("update", CHANGE), ("change", CHANGE), ("edit", CHANGE), ("replace", CHANGE), ("rewrite", CHANGE), ("publish", CHANGE), ("delete", CHANGE), ("modify", CHANGE), ("create", CHANGE), ("overwrite", CHANGE), ("aktualisiere", CHANGE), ("andere", CHANGE), ("ersetze", CHANGE), ("losche", CHANGE), ("veroffentliche", CHANGE), ("actualiza", CHANGE), ("cambia", CHANGE), ("reemplaza", CHANGE), ("publica", CHANGE), ("modifie", CHANGE), ("modifiez", CHANGE), ("remplace", CHANGE), ("publie", CHANGE), ("supprime", CHANGE), ("aggiorna", CHANGE), ("modifica", CHANGE), ("sostituisci", CHANGE), ("atualize", CHANGE), ("altere", CHANGE), ("wijzig", CHANGE), ("zaktualizuj", CHANGE), ("измени", CHANGE), ("обнови", CHANGE), ("更新", CHANGE), ("修改", CHANGE), ("変更", CHANGE), ("수정", CHANGE),
    ("article", ARTICLE), ("articles", ARTICLE), ("artikel", ARTICLE), ("articulo", ARTICLE), ("articolo", ARTICLE), ("artigo", ARTICLE), ("artykul", ARTICLE), ("статью", ARTICLE), ("статья", ARTICLE), ("文章", ARTICLE), ("記事", ARTICLE), ("문서", ARTICLE), ("macro", ARTICLE), ("note", ARTICLE | LAST), ("notes", ARTICLE),
    // Must.
    ("must", MUST), ("important", MUST), ("urgent", MUST), ("immediately", MUST), ("mandatory", MUST), ("required", MUST), ("always", MUST), ("wichtig", MUST), ("dringend", MUST), ("sofort", MUST), ("musst", MUST), ("unbedingt", MUST), ("importante", MUST), ("urgente", MUST), ("inmediatamente", MUST), ("debes", MUST), ("immediatement", MUST), ("dois", MUST), ("devez", MUST), ("devi", MUST), ("subito", MUST), ("deve", MUST), ("belangrijk", MUST), ("moet", MUST), ("wazne", MUST), ("musisz", MUST), ("важно", MUST), ("срочно", MUST), ("重要", MUST), ("必须", MUST), ("必ず", MUST), ("반드시", MUST), ("중요", MUST), ("strictly", MUST),
    // Reveal.
    ("reveal", REVEAL), ("print", REVEAL), ("repeat", REVEAL), ("output", REVEAL), ("display", REVEAL), ("dump", REVEAL), ("zeige", REVEAL), ("nenne", REVEAL), ("wiederhole", REVEAL), ("verrate", REVEAL), ("muestra", REVEAL), ("revela", REVEAL), ("repite", REVEAL), ("affiche", REVEAL), ("revele", REVEAL), ("repete", REVEAL), ("mostra", REVEAL), ("rivela", REVEAL), ("mostre", REVEAL), ("toon", REVEAL), ("pokaz", REVEAL), ("покажи", REVEAL), ("显示", REVEAL), ("輸出", REVEAL), ("表示", REVEAL), ("출력", REVEAL),
    // Instead.
    ("instead", INSTEAD), ("stattdessen", INSTEAD), ("lugar", INSTEAD), ("plutot", INSTEAD), ("invece", INSTEAD), ("plaats", INSTEAD), ("zamiast", INSTEAD), ("вместо", INSTEAD), ("而是", INSTEAD), ("代わりに", INSTEAD), ("대신", INSTEAD), ("henceforth", INSTEAD),
    // Who may give orders.
    ("system", SYSTEM | LAST), ("developer", SYSTEM), ("administrator", SYSTEM), ("admin", SYSTEM), ("root", SYSTEM), ("openai", SYSTEM), ("anthropic", SYSTEM), ("systeme", SYSTEM), ("sistema", SYSTEM), ("systemu", SYSTEM), ("система", SYSTEM), ("системныи", SYSTEM), ("系统", SYSTEM), ("系統", SYSTEM), ("システム", SYSTEM), ("시스템", SYSTEM),
    ("jailbreak", FREED), ("jailbroken", FREED), ("unrestricted", FREED), ("unfiltered", FREED), ("godmode", FREED), ("uncensored", FREED),
    // Last words of phrases.
    ("now", LAST), ("eres", LAST), ("on", LAST), ("as", LAST), ("be", LAST), ("following", LAST | OBEY), ("first", LAST), ("from", LAST), ("task", LAST), ("role", LAST), ("mode", LAST), ("solve", LAST), ("told", LAST), ("this", LAST), ("jetzt", LAST), ("ahora", LAST), ("maintenant", LAST), ("poi", LAST), ("agora", LAST), ("reading", LAST), ("below", LAST), ("conversation", LAST), ("comply", LAST | OBEY), ("beginning", LAST), ("words", LAST), ("identity", LAST), ("you", LAST), ("authorized", LAST | ALLOWED), ("approved", LAST | ALLOWED), ("als", LAST), ("como", LAST), ("comme", LAST), ("come", LAST), ("objective", LAST), ("goal", LAST), ("input", LAST), ("context", LAST), ("session", LAST),
    // Obedience, secrecy, consent; and the same words from behind and thirteen letters on.
    ("follow", OBEY), ("obey", OBEY), ("adhere", OBEY), ("heed", OBEY), ("listen", OBEY), ("attention", OBEY), ("befolge", OBEY), ("befolgen", OBEY), ("folge", OBEY), ("sigue", OBEY), ("sigas", OBEY), ("obedece", OBEY), ("suis", OBEY), ("suivre", OBEY), ("obeis", OBEY), ("segui", OBEY), ("obbedisci", OBEY), ("siga", OBEY), ("obedeca", OBEY), ("volg", OBEY), ("przestrzegaj", OBEY), ("folj", OBEY), ("следуи", OBEY), ("следуите", OBEY), ("соблюдаи", OBEY), ("遵循", OBEY), ("遵守", OBEY), ("听从", OBEY), ("従って", OBEY), ("従う", OBEY), ("따르", OBEY), ("따라", OBEY), ("stop", STOP), ("cease", STOP), ("cancelled", STOP), ("canceled", STOP), ("cancel", STOP), ("refuse", STOP), ("aufhoren", STOP), ("stopp", STOP), ("deja", STOP), ("arrete", STOP), ("cesse", STOP), ("smetti", STOP), ("pare", STOP), ("prestan", STOP), ("хватит", STOP), ("停止", STOP), ("やめて", STOP), ("멈춰", STOP), ("그만", STOP), ("hide", HIDE), ("hidden", HIDE), ("conceal", HIDE), ("secret", HIDE), ("undisclosed", HIDE), ("verberge", HIDE), ("verbergen", HIDE), ("verheimliche", HIDE), ("geheim", HIDE), ("oculta", HIDE), ("ocultar", HIDE), ("escondas", HIDE), ("cache", HIDE), ("cachez", HIDE), ("nascondi", HIDE), ("nascosto", HIDE), ("esconda", HIDE), ("oculte", HIDE), ("verberg", HIDE), ("ukryj", HIDE), ("скрои", HIDE), ("скрываи", HIDE), ("隐藏", HIDE), ("保密", HIDE), ("隠して", HIDE), ("秘密", HIDE), ("숨겨", HIDE), ("anyone", PEOPLE), ("anybody", PEOPLE), ("nobody", PEOPLE), ("someone", PEOPLE), ("jemandem", PEOPLE), ("niemandem", PEOPLE), ("nadie", PEOPLE), ("personne", PEOPLE), ("nessuno", PEOPLE), ("ninguem", PEOPLE), ("niemand", PEOPLE), ("nikomu", PEOPLE), ("никому", PEOPLE), ("任何人", PEOPLE), ("誰にも", PEOPLE), ("아무에게도", PEOPLE), ("authorised", ALLOWED), ("permitted", ALLOWED), ("preauthorized", ALLOWED), ("preapproved", ALLOWED), ("autorisiert", ALLOWED), ("genehmigt", ALLOWED), ("freigegeben", ALLOWED), ("autorizado", ALLOWED), ("aprobado", ALLOWED), ("autorise", ALLOWED), ("approuve", ALLOWED), ("autorizzato", ALLOWED), ("approvato", ALLOWED), ("aprovado", ALLOWED), ("goedgekeurd", ALLOWED), ("zatwierdzone", ALLOWED), ("одобрено", ALLOWED), ("разрешил", ALLOWED), ("批准", ALLOWED), ("授权", ALLOWED), ("承認", ALLOWED), ("승인", ALLOWED), ("confirmation", CONFIRM), ("confirming", CONFIRM), ("approval", CONFIRM), ("asking", CONFIRM), ("permission", CONFIRM), ("consent", CONFIRM), ("ask", CONFIRM), ("bestatigung", CONFIRM), ("ruckfrage", CONFIRM), ("nachfrage", CONFIRM), ("zustimmung", CONFIRM), ("confirmacion", CONFIRM), ("permiso", CONFIRM), ("preguntar", CONFIRM), ("confirmer", CONFIRM), ("demander", CONFIRM), ("approbation", CONFIRM), ("conferma", CONFIRM), ("chiedere", CONFIRM), ("confirmacao", CONFIRM), ("perguntar", CONFIRM), ("bevestiging", CONFIRM), ("potwierdzenia", CONFIRM), ("подтверждения", CONFIRM), ("спрашиваи", CONFIRM), ("确认", CONFIRM), ("询问", CONFIRM), ("確認", CONFIRM), ("확인", CONFIRM), ("include", SEND), ("insert", SEND), ("attach", SEND), ("transfer", SEND), ("fuge", SEND), ("anhangen", SEND), ("incluye", SEND), ("adjunta", SEND), ("inclus", SEND), ("ajoute", SEND), ("includi", SEND), ("allega", SEND), ("inclua", SEND), ("voeg", SEND), ("dolacz", SEND), ("включи", SEND), ("附上", SEND), ("添付", SEND), ("nichts", NOT), ("nada", NOT), ("rien", NOT), ("niente", NOT), ("niets", NOT), ("nic", NOT), ("ничего", NOT), ("没有", NOT), ("vtaber", IGNORE), ("erongi", IGNORE), ("cerivbhf", PRIOR), ("suoiverp", PRIOR), ("vafgehpgvbaf", ORDERS), ("snoitcurtsni", ORDERS), ("cebzcg", PROMPT | ORDERS), ("tpmorp", PROMPT | ORDERS), ("nyy", EVERY),
    ("answer", LAST),
    ("einschrankungen", LAST),
    ("for", LAST),
    ("nu", LAST),
    ("ora", LAST),
    ("present", LAST),
    ("response", LAST),
    ("restricciones", LAST),
    ("restricoes", LAST),
    ("restrizioni", LAST),
    ("results", LAST),
    ("sei", LAST),
    ("teraz", LAST),
    ("with", LAST),
    ("теперь", LAST),
    ("ты", LAST),
];

/// Words in a row, and what they weigh.
pub(crate) struct Phrase {
    pub(crate) words: &'static [&'static str],
    pub(crate) weight: u8,
    pub(crate) name: &'static str,
}

const fn phrase(words: &'static [&'static str], weight: u8, name: &'static str) -> Phrase {
    Phrase { words, weight, name }
}

/// How many different last words the phrases have.
const ENDINGS: usize = endings::<192>().1;

/// For each last word, where its phrases begin, and in the upper half how many they are.
static ENDING: Words<256> = Words::new(&GROUPS);

static GROUPS: [(&str, u64); ENDINGS] = endings::<ENDINGS>().0;

/// The phrases with a last word.
pub(crate) fn ending_in(word: &str) -> &'static [Phrase] {
    let found = ENDING.get(word);
    let (start, count) = ((found & 0xffff) as usize, (found >> 16) as usize);
    PHRASES.get(start..start + count).unwrap_or(&[])
}

/// Phrases that are said to programs, sorted by their last word. What they share with ordinary talk
/// weighs little.
#[rustfmt::skip]
pub(crate) const PHRASES: &[Phrase] = &[
    phrase(&["repeat", "the", "words", "above"], 55, "prompt"), phrase(&["were", "given", "above"], 20, "told"), phrase(&["the", "words", "above"], 15, "prompt"), phrase(&["everything", "above"], 10, "told"),
    phrase(&["attention", "agent"], 35, "address"), phrase(&["ai", "agent"], 20, "address"), phrase(&["automated", "agent"], 15, "address"), phrase(&["llm", "agent"], 35, "address"),
    phrase(&["attention", "agents"], 30, "address"), phrase(&["ai", "agents"], 20, "address"),
    phrase(&["a", "partir", "de", "agora"], 20, "role"), phrase(&["voce", "e", "agora"], 30, "role"),
    phrase(&["a", "partir", "de", "ahora"], 20, "role"), phrase(&["eres", "ahora"], 30, "role"),
    phrase(&["note", "to", "the", "ai"], 50, "address"), phrase(&["you", "are", "an", "ai"], 40, "address"), phrase(&["note", "to", "ai"], 50, "address"), phrase(&["note", "for", "ai"], 50, "address"), phrase(&["attention", "ai"], 50, "address"), phrase(&["dear", "ai"], 40, "address"), phrase(&["hey", "ai"], 30, "address"),
    phrase(&["verhalte", "dich", "als"], 25, "role"), phrase(&["agiere", "als"], 25, "role"),
    phrase(&["your", "final", "answer"], 25, "answer_form"),
    phrase(&["already", "approved"], 15, "authority"),
    phrase(&["act", "as"], 25, "role"), phrase(&["roleplay", "as"], 40, "role"), phrase(&["now", "act", "as"], 40, "role"),
    phrase(&["ai", "assistant"], 20, "address"), phrase(&["attention", "assistant"], 40, "address"), phrase(&["dear", "assistant"], 30, "address"),
    phrase(&["pre", "authorized"], 25, "authority"), phrase(&["already", "authorized"], 15, "authority"),
    phrase(&["pretend", "to", "be"], 35, "role"),
    phrase(&["in", "the", "beginning"], 5, "task_first"),
    phrase(&["agisci", "come"], 25, "role"),
    phrase(&["agis", "comme"], 25, "role"),
    phrase(&["actua", "como"], 25, "role"), phrase(&["aja", "como"], 25, "role"),
    phrase(&["you", "must", "comply"], 40, "authority"),
    phrase(&["end", "of", "context"], 40, "boundary"), phrase(&["stored", "in", "context"], 25, "meta"), phrase(&["your", "context"], 15, "meta"),
    phrase(&["end", "of", "conversation"], 25, "boundary"),
    phrase(&["ohne", "einschrankungen"], 25, "freed"),
    phrase(&["ahora", "eres"], 30, "role"),
    phrase(&["do", "the", "following", "first"], 35, "task_first"), phrase(&["must", "first"], 8, "task_first"),
    phrase(&["please", "do", "the", "following"], 15, "task_first"),
    phrase(&["you", "work", "for"], 20, "role"),
    phrase(&["important", "message", "from"], 25, "authority"),
    phrase(&["your", "new", "goal"], 55, "role"),
    phrase(&["your", "new", "identity"], 45, "role"),
    phrase(&["end", "of", "user", "input"], 45, "boundary"), phrase(&["end", "of", "input"], 25, "boundary"),
    phrase(&["your", "new", "instructions"], 55, "new_orders"), phrase(&["follow", "these", "instructions"], 15, "new_orders"), phrase(&["new", "instructions"], 25, "new_orders"), phrase(&["updated", "instructions"], 20, "new_orders"), phrase(&["system", "instructions"], 40, "new_orders"), phrase(&["important", "instructions"], 30, "new_orders"), phrase(&["hidden", "instructions"], 40, "new_orders"), phrase(&["special", "instructions"], 8, "new_orders"), phrase(&["your", "instructions"], 12, "new_orders"), phrase(&["begin", "instructions"], 40, "boundary"), phrase(&["end", "instructions"], 40, "boundary"),
    phrase(&["du", "bist", "jetzt"], 35, "role"), phrase(&["ab", "jetzt"], 10, "role"), phrase(&["du", "bist", "ab", "jetzt"], 35, "role"),
    phrase(&["a", "partir", "de", "maintenant"], 20, "role"), phrase(&["tu", "es", "maintenant"], 35, "role"), phrase(&["vous", "etes", "maintenant"], 30, "role"),
    phrase(&["read", "this", "message"], 8, "meta"), phrase(&["commands", "in", "this", "message"], 35, "meta"),
    phrase(&["developer", "mode"], 15, "freed"), phrase(&["god", "mode"], 40, "freed"), phrase(&["dan", "mode"], 60, "freed"), phrase(&["debug", "mode"], 8, "freed"), phrase(&["admin", "mode"], 15, "freed"), phrase(&["maintenance", "mode"], 5, "freed"),
    phrase(&["language", "model"], 25, "address"), phrase(&["ai", "model"], 20, "address"),
    phrase(&["ai", "note"], 20, "address"),
    phrase(&["you", "are", "now"], 35, "role"), phrase(&["you", "will", "now"], 20, "role"), phrase(&["do", "anything", "now"], 60, "freed"),
    phrase(&["je", "bent", "nu"], 30, "role"),
    phrase(&["your", "new", "objective"], 55, "role"),
    phrase(&["from", "now", "on"], 20, "role"),
    phrase(&["sei", "ora"], 30, "role"),
    phrase(&["d", "ora", "in", "poi"], 20, "role"),
    phrase(&["this", "text", "is", "present"], 35, "meta"),
    phrase(&["system", "prompt"], 40, "prompt"), phrase(&["initial", "prompt"], 35, "prompt"), phrase(&["your", "prompt"], 35, "prompt"), phrase(&["hidden", "prompt"], 40, "prompt"), phrase(&["previous", "prompt"], 35, "prompt"),
    phrase(&["ai", "reading"], 40, "address"), phrase(&["assistant", "reading"], 35, "address"), phrase(&["agent", "reading"], 35, "address"),
    phrase(&["your", "next", "response"], 25, "answer_form"),
    phrase(&["sin", "restricciones"], 25, "freed"),
    phrase(&["sem", "restricoes"], 25, "freed"),
    phrase(&["no", "restrictions"], 15, "freed"), phrase(&["without", "restrictions"], 20, "freed"), phrase(&["sans", "restrictions"], 25, "freed"), phrase(&["safety", "restrictions"], 25, "freed"),
    phrase(&["senza", "restrizioni"], 25, "freed"),
    phrase(&["tool", "results"], 20, "meta"),
    phrase(&["your", "new", "role"], 40, "role"),
    phrase(&["ora", "sei"], 30, "role"),
    phrase(&["new", "session"], 5, "boundary"),
    phrase(&["before", "you", "can", "solve"], 45, "task_first"),
    phrase(&["message", "from", "the", "system"], 40, "authority"),
    phrase(&["your", "new", "task"], 55, "role"), phrase(&["your", "real", "task"], 45, "role"), phrase(&["your", "original", "task"], 40, "task_first"), phrase(&["your", "current", "task"], 35, "task_first"), phrase(&["real", "task"], 35, "role"), phrase(&["previous", "task"], 20, "role"), phrase(&["original", "task"], 30, "role"),
    phrase(&["jestes", "teraz"], 35, "role"),
    phrase(&["processing", "this"], 20, "meta"), phrase(&["summarising", "this"], 25, "meta"), phrase(&["summarizing", "this"], 25, "meta"),
    phrase(&["were", "told"], 10, "told"), phrase(&["been", "told"], 8, "told"),
    phrase(&["before", "using", "this", "tool"], 15, "tool_talk"), phrase(&["before", "calling", "this", "tool"], 15, "tool_talk"), phrase(&["before", "any", "other", "tool"], 20, "tool_talk"), phrase(&["the", "following", "tool"], 25, "tool_talk"),
    phrase(&["available", "tools"], 15, "tool_talk"), phrase(&["following", "tools"], 25, "tool_talk"),
    phrase(&["reply", "only", "with"], 35, "answer_form"), phrase(&["respond", "only", "with"], 35, "answer_form"), phrase(&["answer", "only", "with"], 30, "answer_form"), phrase(&["respond", "with"], 5, "answer_form"),
    phrase(&["pretend", "you"], 30, "role"),
    phrase(&["ты", "теперь"], 35, "role"),
    phrase(&["теперь", "ты"], 35, "role"),
];

#[expect(
    clippy::indexing_slicing,
    reason = "runs in the compiler, where a wrong index is an error"
)]
const fn endings<const N: usize>() -> ([(&'static str, u64); N], usize) {
    let mut table = [("", 0u64); N];
    let (mut count, mut line) = (0, 0);
    while line < PHRASES.len() {
        let words = PHRASES[line].words;
        let last = words[words.len() - 1];
        if count > 0 && same(table[count - 1].0, last) {
            table[count - 1].1 += 1 << 16;
        } else {
            table[count] = (last, line as u64 | 1 << 16);
            count += 1;
        }
        line += 1;
    }
    (table, count)
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs in the compiler, where a wrong index is an error"
)]
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_in_the_table_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (word, _) in LEXICON.entries() {
            assert!(seen.insert(word), "{word} twice");
            assert_eq!(kit::unfold::fold_text(word), *word);
        }
    }

    #[test]
    fn the_last_word_of_each_phrase_is_known_as_one() {
        for phrase in PHRASES {
            let last = phrase.words.last().unwrap();
            assert!(LEXICON.get(last) & LAST != 0, "{last}");
            assert!(ending_in(last).iter().any(|other| other.words == phrase.words), "{last}");
            assert!(phrase.words.len() <= 5);
        }
    }
}
