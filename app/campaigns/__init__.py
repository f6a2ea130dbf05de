"""The eFaktura offer: whom it is sent to, what they answered, and the agreement that came of it."""
