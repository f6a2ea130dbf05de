"""A made-up municipality in the real file formats: register, mandates, invoices, payments, and what registries know."""
