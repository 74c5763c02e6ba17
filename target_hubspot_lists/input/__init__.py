"""From bytes to a parsed membership, or to the reason why a record cannot be applied."""
