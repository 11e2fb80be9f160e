"""The pages of leaving: the member's own, the registrar's, the treasurer's."""
