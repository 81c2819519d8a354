"""Commands about pictures: look, measure, train, patrol."""
