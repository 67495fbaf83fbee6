package portcullis.rules.privacy_test

import rego.v1

shown(tool, labels) := ruling if {
	document := {
		"principal": {"id": "bot", "kind": "agent", "roles": ["quality-analyst"], "groups": [], "attributes": {"team": "701"}},
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
	every tool in {"search_contacts", "get_article"} {
		demanded(shown(tool, [])).personal_data == {
		"kinds": data.privacy.personal,
		"parties": ["customer", "teammate", "bot", "unknown"],
		"least": 20,
		"how": "mask",
	}
	}
}

test_nothing_is_demanded_where_nothing_is_answered if {
	ruling := data.portcullis.disclose.answer with input as {}
	ruling.obligations == []
	own := {"secrets_masked", "personal_data", "customers_in_public", "instructed"}
	spoken := {duty.rule | some duty in data.portcullis.rules.disclose.oblige} with input as {}
	own & spoken == set()
}
