"""What each rule does, one file per subject. Pure: a request in, the same request changed, and what there is to say of that."""
