//! Components in text: the contract's types, one core module, and a picture of its memory.

/// A finding as a guest writes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) leaf: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: &'static str,
    pub(super) confidence: u8,
    pub(super) reason: &'static str,
    pub(super) value: Option<&'static str>,
    pub(super) subject: Option<&'static str>,
    pub(super) part: Option<&'static str>,
    pub(super) party: u8,
}

impl Found {
    pub(super) const fn of(leaf: u32, start: u32, end: u32) -> Self {
        Self {
            leaf,
            start,
            end,
            kind: "email",
            confidence: 90,
            reason: "field",
            value: None,
            subject: None,
            part: None,
            party: 1,
        }
    }
}

/// Bytes at the beginning of a guest's memory.
#[derive(Clone, Default)]
struct Image(Vec<u8>);

const BASE: u32 = 1024;

impl Image {
    /// Puts bytes down, aligned; where they lie.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
        let at = BASE + u32::try_from(self.0.len()).unwrap();
        self.0.extend_from_slice(bytes);
        at
    }

    fn text(&mut self, text: &[u8]) -> [u32; 2] {
        [self.put(text), u32::try_from(text.len()).unwrap()]
    }

    fn texts(&mut self, texts: &[&str]) -> [u32; 2] {
        let parts: Vec<u32> = texts.iter().flat_map(|text| self.text(text.as_bytes())).collect();
        [self.words(&parts), u32::try_from(texts.len()).unwrap()]
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes)
    }

    fn option(&mut self, text: Option<&str>) -> [u32; 3] {
        text.map_or([0; 3], |text| {
            let [at, length] = self.text(text.as_bytes());
            [1, at, length]
        })
    }
}

/// A component.
#[derive(Clone)]
pub(super) struct Guest {
    pub(super) name: Vec<u8>,
    pub(super) kinds: Vec<&'static str>,
    pub(super) tools: Vec<&'static str>,
    pub(super) schema: &'static str,
    pub(super) found: Vec<Found>,
    pub(super) labels: Vec<&'static str>,
    pub(super) opinion: Option<(u32, &'static str)>,
    pub(super) overrides: Vec<(&'static str, u32, u32)>,
    /// What `inspect` does; its result is a place in memory.
    pub(super) inspect: Option<String>,
    /// More of the core module: functions, tables, a start.
    pub(super) more: String,
    /// More imports of the component.
    pub(super) imports: String,
    pub(super) package: &'static str,
    pub(super) memory: &'static str,
    pub(super) exports: bool,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            name: b"guest".to_vec(),
            kinds: vec!["email"],
            tools: Vec::new(),
            schema: "",
            found: Vec::new(),
            labels: Vec::new(),
            opinion: None,
            overrides: Vec::new(),
            inspect: None,
            more: String::new(),
            imports: String::new(),
            package: "1.0.0",
            memory: "2",
            exports: true,
        }
    }
}

impl Guest {
    pub(super) fn finding(found: &[Found]) -> Self {
        Self { found: found.to_vec(), ..Self::default() }
    }

    pub(super) fn found(self, found: &[Found]) -> Self {
        Self { found: found.to_vec(), ..self }
    }

    pub(super) fn labelled(self, labels: &[&'static str]) -> Self {
        Self { labels: labels.to_vec(), ..self }
    }

    pub(super) fn opinion(opinion: Option<(u32, &'static str)>) -> Self {
        Self { opinion, ..Self::default() }
    }

    pub(super) fn named(name: &[u8]) -> Self {
        Self { name: name.to_vec(), ..Self::default() }
    }

    pub(super) fn with_schema(schema: &'static str) -> Self {
        Self { schema, ..Self::default() }
    }

    pub(super) fn for_tools(tools: &[&'static str]) -> Self {
        Self { tools: tools.to_vec(), ..Self::default() }
    }

    /// One whose memory begins with so many pages.
    pub(super) fn of_memory(memory: &'static str) -> Self {
        Self { memory, ..Self::default() }
    }

    pub(super) fn without_exports() -> Self {
        Self { exports: false, ..Self::default() }
    }

    /// `inspect` does this; what it leaves is the place of the report.
    pub(super) fn looking(inspect: &str) -> Self {
        Self { inspect: Some(inspect.to_owned()), ..Self::default() }
    }

    pub(super) fn with(inspect: &str, more: &str) -> Self {
        Self { more: more.to_owned(), ..Self::looking(inspect) }
    }

    /// A report whose lists lie elsewhere.
    pub(super) fn report_of(overrides: &[(&'static str, u32, u32)]) -> Self {
        Self { overrides: overrides.to_vec(), ..Self::default() }
    }

    /// One that says that it could not look.
    pub(super) fn refusing(words: &'static str) -> Self {
        Self { opinion: Some((u32::MAX, words)), ..Self::default() }
    }

    /// One that writes so many lines.
    pub(super) fn logging(lines: u32) -> Self {
        let inspect = format!(
            "(local $n i32) (loop $l
               (call $log (i32.const 1) (i32.const 512) (i32.const 12))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $n) (i32.const {lines}))))
             (global.get $report)"
        );
        Self { imports: "log".to_owned(), ..Self::looking(&inspect) }
    }

    /// Each call counts in a global and in memory; the confidence of its finding is the count.
    pub(super) fn counting() -> Self {
        let inspect = "
            (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
            (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
            (i32.store8 (i32.add (global.get $first) (i32.const 20))
              (i32.add (global.get $seen) (i32.load (i32.const 16))))
            (global.get $report)";
        let more = "(global $seen (mut i32) (i32.const 0))";
        Self { found: vec![Found::of(0, 0, 1)], ..Self::with(inspect, more) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        wat::parse_str(self.text()).unwrap_or_else(|error| panic!("{error}\n{}", self.text()))
    }

    fn image(&self) -> (Image, [u32; 3]) {
        let mut image = Image::default();
        let texts = [
            image.text(&self.name),
            image.text(b"1.2.3"),
            image.text(b"for tests"),
            image.texts(&self.kinds),
            image.texts(&["odd"]),
            [image.put(&[0, 1, 2]), 3],
            image.texts(&self.tools),
            image.text(self.schema.as_bytes()),
        ];
        let description = image.words(texts.as_flattened());
        let mut found = Vec::new();
        for one in &self.found {
            let [kind, kind_length] = image.text(one.kind.as_bytes());
            let [reason, reason_length] = image.text(one.reason.as_bytes());
            found.extend([one.leaf, one.start, one.end, kind, kind_length]);
            found.extend([u32::from(one.confidence), reason, reason_length]);
            found.extend(image.option(one.value));
            found.extend(image.option(one.subject));
            found.extend(image.option(one.part));
            found.push(u32::from(one.party));
        }
        let first = image.words(&found);
        let list = |name: &str, own: [u32; 2]| {
            let other = self.overrides.iter().find(|(it, ..)| *it == name);
            other.map_or(own, |(_, at, length)| [*at, *length])
        };
        let findings = list("findings", [first, u32::try_from(self.found.len()).unwrap()]);
        let labels = image.texts(&self.labels);
        let labels = list("labels", labels);
        let mut report = vec![0];
        match self.opinion {
            Some((u32::MAX, words)) => {
                report = vec![1];
                report.extend(image.text(words.as_bytes()));
                report.extend([0; 6]);
            }
            opinion => {
                report.extend(findings);
                report.extend(labels);
                let opinion = opinion.map(|(case, text)| {
                    let [at, length] = image.text(text.as_bytes());
                    [1, case, at, length]
                });
                report.extend(opinion.unwrap_or_default());
            }
        }
        let report = image.words(&report);
        (image, [description, report, first])
    }

    pub(super) fn text(&self) -> String {
        let (image, [description, report, first]) = self.image();
        let data: String = image.0.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let inspect = self.inspect.as_deref().unwrap_or("(global.get $report)");
        let (package, memory, more) = (self.package, self.memory, &self.more);
        let logs = self.imports == "log";
        let (import, log, with) = if logs {
            (LOG, r#"(import "host" "log" (func $log (param i32 i32 i32)))"#, LOG_INSTANCE)
        } else {
            (self.imports.as_str(), "", "")
        };
        let export = match self.exports {
            true => format!("(export \"portcullis:plugin/inspector@{package}\" (instance $out))"),
            false => String::new(),
        };
        let after = if logs { LOG_CANON } else { "" };
        format!(
            r#"(component
  {TYPES}
  (import "portcullis:plugin/types@{package}" (instance $t (type $types)))
  (alias export $t "document" (type $document))
  (alias export $t "report" (type $report))
  (alias export $t "description" (type $description))
  {import}
  {after}
  (core module $m
    {log}
    (memory (export "memory") {memory})
    (global $heap (mut i32) (i32.const 65536))
    (global $report i32 (i32.const {report}))
    (global $first i32 (i32.const {first}))
    (data (i32.const {BASE}) "{data}")
    {REALLOC}
    {more}
    (func (export "describe") (result i32) (i32.const {description}))
    (func (export "inspect") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      {inspect}))
  (core instance $i (instantiate $m {with}))
  (alias core export $i "memory" (core memory $mem))
  (alias core export $i "realloc" (core func $realloc))
  (type $describe (func (result $description)))
  (func $d (type $describe)
    (canon lift (core func $i "describe") (memory $mem) (realloc $realloc)))
  (type $answer (result $report (error string)))
  (type $inspect (func (param "document" $document) (param "config" string) (result $answer)))
  (func $n (type $inspect)
    (canon lift (core func $i "inspect") (memory $mem) (realloc $realloc)))
  (instance $out (export "describe" (func $d)) (export "inspect" (func $n)))
  {export})"#
        )
    }
}

const REALLOC: &str = r#"
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (block $done (loop $more
        (br_if $done (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 1)))
        (br $more)))
      (local.get $at))"#;

const LOG: &str = r#"(import "portcullis:plugin/log@1.0.0" (instance $l
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "text" string)))))"#;

const LOG_CANON: &str = r#"
  (alias export $l "write" (func $write))
  (core module $libc (memory (export "memory") 1)
    (data (i32.const 512) "hello\1b world"))
  (core instance $c (instantiate $libc))
  (alias core export $c "memory" (core memory $cm))
  (core func $lowered (canon lower (func $write) (memory $cm)))"#;

const LOG_INSTANCE: &str = r#"(with "host" (instance (export "log" (func $lowered))))"#;

const TYPES: &str = r#"(type $types (instance
    (type $phase' (enum "call" "answer" "definition"))
    (export "phase" (type $phase (eq $phase')))
    (type $form' (enum "text" "html" "key" "number"))
    (export "form" (type $form (eq $form')))
    (type $party' (enum "unknown" "customer" "teammate" "bot"))
    (export "party" (type $party (eq $party')))
    (type $maybe (option string))
    (type $leaf' (record (field "document" u32) (field "path" string) (field "text" string)
      (field "form" $form) (field "owner" $maybe) (field "party" $party)))
    (export "leaf" (type $leaf (eq $leaf')))
    (type $entry' (record (field "kind" string) (field "value" string) (field "subject" $maybe)))
    (export "entry" (type $entry (eq $entry')))
    (type $leaves (list $leaf))
    (type $entries (list $entry))
    (type $document' (record (field "phase" $phase) (field "tool" string)
      (field "leaves" $leaves) (field "dictionary" $entries)))
    (export "document" (type $document (eq $document')))
    (type $finding' (record (field "leaf" u32) (field "start" u32) (field "end" u32)
      (field "kind" string) (field "confidence" u8) (field "reason" string)
      (field "value" $maybe) (field "subject" $maybe) (field "part" $maybe)
      (field "party" $party)))
    (export "finding" (type $finding (eq $finding')))
    (type $opinion' (variant (case "hold" string) (case "deny" string)))
    (export "opinion" (type $opinion (eq $opinion')))
    (type $findings (list $finding))
    (type $texts (list string))
    (type $judged (option $opinion))
    (type $report' (record (field "findings" $findings) (field "labels" $texts)
      (field "opinion" $judged)))
    (export "report" (type $report (eq $report')))
    (type $phases (list $phase))
    (type $description' (record (field "name" string) (field "version" string)
      (field "summary" string) (field "kinds" $texts) (field "labels" $texts)
      (field "phases" $phases) (field "tools" $texts) (field "config-schema" string)))
    (export "description" (type $description (eq $description')))))"#;
