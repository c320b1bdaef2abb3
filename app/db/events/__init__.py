"""Events, their deliveries and the webhook endpoints that receive them."""
