"""What others know of a resident: KRR, eFaktura, Vipps. Answers yes, no or unknown; keeps nothing raw."""
