# METADATA
# title: The role receives everything
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Everything for the role
allow contains {"rule": "conformance_role", "text": "the role conformance receives everything"} if {
	data.role.conformance
}
