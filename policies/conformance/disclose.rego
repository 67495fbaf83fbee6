# METADATA
# title: The role receives everything
package portcullis.rules.disclose

import rego.v1

import data.role

allow contains {"rule": "conformance_role", "text": "the role conformance receives everything"} if {
	role.conformance
}
