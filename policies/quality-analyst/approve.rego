# METADATA
# title: Nothing waits here, so nothing is released
package portcullis.rules.approve

import rego.v1

# METADATA
# title: Nothing to release
deny contains {"rule": "nothing_waits", "text": "this profile holds no calls, so there is nothing to release"} if {
	input.approver.id
}
