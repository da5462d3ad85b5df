"""A hundred countries and their capitals: well known, undisputed, each name one word."""

from __future__ import annotations

_TABLE = """

Albania Tirana; Algeria Algiers; Angola Luanda; Armenia Yerevan; Australia Canberra; Austria Vienna;
Azerbaijan Baku; Bahrain Manama; Bangladesh Dhaka; Belarus Minsk; Belgium Brussels;
Botswana Gaborone; Brazil Brasilia; Bulgaria Sofia; Cameroon Yaounde; Canada Ottawa; Chile Santiago;
China Beijing; Colombia Bogota; Croatia Zagreb; Cuba Havana; Cyprus Nicosia; Czechia Prague;
Denmark Copenhagen; Ecuador Quito; Egypt Cairo; Estonia Tallinn; Fiji Suva; Finland Helsinki;
France Paris; Gabon Libreville; Germany Berlin; Ghana Accra; Greece Athens; Hungary Budapest;
Iceland Reykjavik; Iran Tehran; Iraq Baghdad; Ireland Dublin; Italy Rome; Jamaica Kingston;
Japan Tokyo; Jordan Amman; Kenya Nairobi; Laos Vientiane; Latvia Riga; Lebanon Beirut;
Liberia Monrovia; Libya Tripoli; Lithuania Vilnius; Madagascar Antananarivo; Malawi Lilongwe;
Mali Bamako; Malta Valletta; Moldova Chisinau; Mongolia Ulaanbaatar; Montenegro Podgorica;
Morocco Rabat; Mozambique Maputo; Namibia Windhoek; Nepal Kathmandu; Netherlands Amsterdam;
Nicaragua Managua; Niger Niamey; Nigeria Abuja; Norway Oslo; Oman Muscat; Pakistan Islamabad;
Paraguay Asuncion; Peru Lima; Philippines Manila; Poland Warsaw; Portugal Lisbon; Qatar Doha;
Romania Bucharest; Russia Moscow; Rwanda Kigali; Senegal Dakar; Serbia Belgrade;
Slovakia Bratislava; Slovenia Ljubljana; Somalia Mogadishu; Spain Madrid; Sudan Khartoum;
Sweden Stockholm; Switzerland Bern; Syria Damascus; Thailand Bangkok; Togo Lome; Tunisia Tunis;
Turkey Ankara; Uganda Kampala; Ukraine Kyiv; Uruguay Montevideo; Uzbekistan Tashkent;
Venezuela Caracas; Vietnam Hanoi; Yemen Sanaa; Zambia Lusaka; Zimbabwe Harare
"""

#: Capital of every country, countries in alphabetical order.
CAPITALS: dict[str, str] = dict(row.split() for row in _TABLE.split(";"))
