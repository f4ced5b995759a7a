package clean

allow if input.user == "alice"
