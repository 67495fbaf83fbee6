# METADATA
# title: Nothing is released while everything is locked
package portcullis.rules.approve

import rego.v1

# METADATA
# title: Nothing to release
deny contains {"rule": "nothing_waits", "text": "nothing is released while everything is locked"} if {
	input.approver.id
}
