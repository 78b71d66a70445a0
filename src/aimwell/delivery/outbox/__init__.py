"""The outbox, the only way out: each message that a journey asks for is sent once, or has one reason why not."""
