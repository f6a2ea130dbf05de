"""The pages of the eFaktura offer: whoever has the link answers it, or asks for no more."""
