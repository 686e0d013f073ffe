"""Who is who, and who may do what for whom (Gebruikersbeheer): imports nothing else of ours. The glossary of the house:

person: persoon, has a national number | organisation: organisatie, in one target group | application: toepassing
target group: doelgroep | work relation: werkrelatie, a person works for an organisation | right: gebruikersrecht
grant: toekenning, a right on a work relation | admission: toelating, an organisation may use a right
identity: hoedanigheid, on whose behalf | legal representative: WV | chief access manager: HTB | HLB: by the right hlb
application owner: toepassingseigenaar, decides on its rights | digital key: digitale sleutel, what one signs in with
"""
