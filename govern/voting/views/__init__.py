"""The pages of elections: public ones, the booth, the trustee's page, the management."""
