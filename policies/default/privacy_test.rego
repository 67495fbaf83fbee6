package portcullis.rules.privacy_test

import rego.v1

shown(tool, labels) := ruling if {
	document := {
		"principal": {"id": "bot", "roles": ["support-reader"]},
		"method": "tools/call",
		"subject": {"kind": "tool", "name": tool},
		"tool": {"name": tool, "effect": "read", "pinned": true},
		"now": {"unix": 1000},
		"trail": {"day": {"contacts": 0}, "labels": []},
		"labels": labels,
		"answer": {
			"kind": "result", "bytes": 1, "is_error": false, "understood": true, "records": [],
			"counts": {"contacts": 0, "companies": 0, "conversations": 0, "notes": 0, "parts": 0},
		},
	}
	ruling := data.portcullis.disclose.answer with input as document
}

demanded(ruling) := {duty.rule: duty.redact | some duty in ruling.obligations; duty.redact}

test_secrets_are_masked_everywhere if {
	every tool in {"get_contact", "search", "get_article"} {
		secrets := demanded(shown(tool, [])).secrets_masked
		secrets == {"kinds": data.privacy.secrets, "how": "mask"}
	}
	every kind in {"secret", "password", "card", "card_security"} {
		kind in data.privacy.secrets
	}
}

test_personal_data_is_not_shown if {
	demanded(shown("get_contact", [])).personal_data == {
		"kinds": data.privacy.personal,
		"parties": ["customer", "unknown"],
		"least": 50,
		"how": "pseudonym",
	}
	every kind in {"person", "email", "phone", "address", "birth_date", "iban"} {
		kind in data.privacy.personal
	}
	not "customers_in_public" in object.keys(demanded(shown("get_contact", [])))
}

test_public_texts_tell_of_no_customer if {
	every tool in {"list_articles", "search_articles", "get_article"} {
		not "personal_data" in object.keys(demanded(shown(tool, [])))
		demanded(shown(tool, [])).customers_in_public == {
		"kinds": data.privacy.personal,
		"parties": ["customer"],
		"least": 50,
		"how": "pseudonym",
	}
	}
}

labels(ruling) := {duty.label | some duty in ruling.obligations}

test_instructions_leave_a_label if {
	labels(shown("get_article", ["instructions"])) == {{"name": "untrusted-instructions", "minutes": 60}}
	labels(shown("get_article", ["secrets"])) == set()
	labels(shown("get_article", [])) == set()
}

test_nothing_is_demanded_where_nothing_is_answered if {
	ruling := data.portcullis.disclose.answer with input as {}
	ruling.obligations == []
	own := {"secrets_masked", "personal_data", "customers_in_public", "instructed"}
	spoken := {duty.rule | some duty in data.portcullis.rules.disclose.oblige} with input as {}
	own & spoken == set()
}

found(kind, confidence) := {
	"kind": kind, "party": "unknown", "confidence": confidence,
	"count": 1, "plugin": "pii", "paths": ["/body"],
}

written(tool, effect, seen) := ruling if {
	document := {
		"principal": {"id": "bot", "roles": ["knowledge-author"]},
		"method": "tools/call",
		"subject": {"kind": "tool", "name": tool},
		"tool": {"name": tool, "effect": effect, "pinned": true},
		"arguments": {},
		"target": {"type": "article", "id": "1", "partial": false, "state": "draft"},
		"findings": seen.findings,
		"labels": seen.labels,
		"trail": {"labels": seen.trail},
	}
	ruling := data.portcullis.admit.answer with input as document
}

saw(findings) := {"findings": findings, "labels": [], "trail": []}

spoke(ruling) := {reason.rule | some reason in ruling.reasons}

test_secrets_are_not_written if {
	every kind in {"secret", "password", "card"} {
		ruling := written("create_article", "write", saw([found(kind, 50)]))
		ruling.verdict == "deny"
		"secret_in_write" in spoke(ruling)
	}
	not "secret_in_write" in spoke(written("create_article", "write", saw([found("person", 90)])))
	not "secret_in_write" in spoke(written("get_article", "read", saw([found("secret", 90)])))
}

test_personal_data_in_an_article_waits if {
	every tool in {"create_article", "update_article"} {
		ruling := written(tool, "write", saw([found("email", 50)]))
		ruling.verdict == "hold"
		"personal_data_in_article" in spoke(ruling)
		not "personal_data_in_article" in spoke(written(tool, "write", saw([found("email", 49)])))
		not "personal_data_in_article" in spoke(written(tool, "write", saw([found("injection", 90)])))
	}
	every tool in {"get_article"} {
		not "personal_data_in_article" in spoke(written(tool, "read", saw([found("email", 90)])))
	}
}

test_what_instructs_or_hides_waits if {
	every kind in {"injection", "hidden_text", "encoded_data", "data_in_url"} {
		ruling := written("create_article", "write", saw([found(kind, 1)]))
		ruling.verdict == "hold"
		"suspicious_write" in spoke(ruling)
	}
	labelled := {"findings": [], "labels": ["instructions"], "trail": []}
	"suspicious_write" in spoke(written("create_article", "write", labelled))
	not "suspicious_write" in spoke(written("get_article", "read", labelled))
	other := {"findings": [], "labels": ["secrets"], "trail": ["another"]}
	not "suspicious_write" in spoke(written("create_article", "write", other))
	not "suspicious_write" in spoke(written("create_article", "write", saw([found("email", 90)])))
}

test_writes_after_instructions_wait_and_say_so if {
	after := {"findings": [], "labels": [], "trail": ["untrusted-instructions"]}
	ruling := written("create_article", "write", after)
	ruling.verdict == "hold"
	"after_instructions" in spoke(ruling)
	not "after_instructions" in spoke(written("get_article", "read", after))
	not "after_instructions" in spoke(written("create_article", "write", saw([])))
}

test_the_holds_name_who_releases if {
	held := {one.rule: one.release | some one in data.portcullis.rules.admit.hold} with input as {
		"tool": {"name": "create_article", "effect": "write"},
		"findings": [found("email", 90), found("injection", 90)],
		"labels": [],
		"trail": {"labels": ["untrusted-instructions"]},
	}
	held.after_instructions == data.releases.tools.create_article
	held.personal_data_in_article == data.releases.tools.create_article
	held.suspicious_write == data.releases.tools.create_article
}
